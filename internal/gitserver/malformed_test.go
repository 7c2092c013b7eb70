package gitserver

import (
	"strings"

	"github.com/refward/refward/internal/git/pktline"
)

// malformed is what no Git client sends, to either service.
var malformed = func() []string {
	line := func(s string) string { return string(pktline.Append(nil, s)) }
	zero, one := strings.Repeat("0", 40), strings.Repeat("1", 40)
	return []string{
		"GET / HTTP/1.1\r\n\r\n", "zzzz", "0003", "ffff", "0010abc", "00", "0001", "0002", "0004", line(""),
		line("command=ls-refs\n"), line("command=ls-refs\n") + "0001" + line("nonsense") + "0000",
		line("command=fetch\n") + "0000", line("command=fetch\n") + "0001" + line("want x") + "0000",
		line("command=fetch\n") + "0001" + line("want "+one) + line("done"),
		line("command=object-info\n") + "0000", line("command=../../x\n") + "0000",
		line("command=fetch") + line("command=ls-refs") + "0000", line("command=ls-refs") + line("object-format=sha256") + "0000",
		line("want "+one+"\n") + "0000" + line("nonsense"), line("want\n") + "0000", line("want "+strings.ToUpper(one[:39])+"g\n") + "0000",
		line("have "+one+"\n") + "0000", line("want "+one+" side-band-64k\n") + line("deepen -1") + "0000" + line("done"),
		line(zero+" "+one+" refs/heads/x") + "0000", line(zero+" "+one) + "0000", line(zero[1:]+" "+one+" refs/heads/x") + "0000",
		line("push-cert\x00report-status\n") + line("certificate version 0.1\n") + "0000",
		line(zero+" "+one+" refs/heads/x\x00report-status side-band-64k object-format=sha256\n") + "0000",
		line(zero+" "+one+" refs/heads/x\x00push-options\n") + "0000" + line(strings.Repeat("x", 5000)) + "0000",
		line("shallow x") + "0000", strings.Repeat(line("shallow "+one), 3), line(zero + " " + one + " refs/heads/x\x00"),
	}
}()
