package wire

import (
	"errors"
	"io"
	"strings"

	"github.com/refward/refward/internal/git/pktline"
	"github.com/refward/refward/internal/git/refname"
)

// Report is receive-pack's report-status. report-status-v2 is the same while no ref
// was moved elsewhere than the client asked, which this server never does.
type Report struct {
	Unpack  string // "ok", or why the pack was refused
	Results []Result
}

// Result is what became of one command.
type Result struct {
	Ref    refname.Name
	Reason string // empty: done; else why not
}

// maxReportText bounds a reason, or a ref name of a client that is repeated to it.
const maxReportText = 16 << 10

// Append appends the report with its flush packet to b. Line breaks in a reason
// become spaces.
func (r *Report) Append(b []byte) []byte {
	b = pktline.Append(b, "unpack "+oneLine(r.Unpack)+"\n")
	for _, res := range r.Results {
		if res.Reason == "" {
			b = pktline.Append(b, "ok "+oneLine(string(res.Ref))+"\n")
		} else {
			b = pktline.Append(b, "ng "+oneLine(string(res.Ref))+" "+oneLine(res.Reason)+"\n")
		}
	}
	return pktline.AppendFlush(b)
}

var toOneLine = strings.NewReplacer("\r\n", " ", "\n", " ", "\r", " ", "\x00", " ")

func oneLine(s string) string {
	if len(s) > maxReportText {
		s = s[:maxReportText]
	}
	return toOneLine.Replace(s)
}

// DecodeReport reads a report, as a client does.
func DecodeReport(r *pktline.Reader) (*Report, error) {
	var rep Report
	for first := true; ; first = false {
		k, p, err := r.NextLine()
		switch {
		case errors.Is(err, io.EOF):
			return nil, io.ErrUnexpectedEOF
		case err != nil:
			return nil, err
		case k == pktline.Flush && !first:
			return &rep, nil
		case k != pktline.Data:
			return nil, syntax("%s in a report", k)
		}
		word, rest, ok := strings.Cut(string(p), " ")
		switch {
		case !ok || rest == "" || toOneLine.Replace(rest) != rest || first != (word == "unpack"):
			return nil, syntax("report line %q", p)
		case first:
			rep.Unpack = rest
		case word == "ok":
			rep.Results = append(rep.Results, Result{Ref: refname.Name(rest)})
		case word == "ng":
			ref, reason, ok := strings.Cut(rest, " ")
			if !ok || reason == "" || ref == "" {
				return nil, syntax("report line %q", p)
			}
			rep.Results = append(rep.Results, Result{Ref: refname.Name(ref), Reason: reason})
		case word != "option":
			return nil, syntax("report line %q", p)
		}
	}
}
