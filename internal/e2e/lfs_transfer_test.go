package e2e

import (
	"bufio"
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/crypto/ssh"

	"github.com/refward/refward/internal/demo"
	"github.com/refward/refward/internal/git/pktline"
	"github.com/refward/refward/internal/person"
)

var update = flag.Bool("update", false, "write what the host answers into testdata/lfs-transfer")

// TestLFSTransfer plays the conversations of testdata/lfs-transfer. In them
//
//	$ NAME download    begins git-lfs-transfer as somebody
//	> text             is a packet of the client; 0000 and 0001 are those without a payload
//	< text             is a packet of the host
//	= text             is how it ended: what is on standard error, and the exit status
//
// OID(x) is the object ID of the text x. What is different each time has a name: TOKEN1,
// LOCK1, in order of appearance.
func TestLFSTransfer(t *testing.T) {
	files, err := filepath.Glob("testdata/lfs-transfer/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no conversations (%v)", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			p := &transferPlay{lfsHost: startLFS(t), conns: map[string]*ssh.Client{}, names: map[string]string{}, values: map[string]string{}}
			got := p.play(string(want))
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if d := cmp.Diff(string(want), got); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

// transferPlay plays one conversation.
type transferPlay struct {
	*lfsHost
	conns  map[string]*ssh.Client
	names  map[string]string // of what is different each time
	values map[string]string // by name
	counts [2]int

	session *ssh.Session
	in      io.WriteCloser
	out     *bufio.Reader
	told    bytes.Buffer
	talk    strings.Builder
}

func (p *transferPlay) play(script string) string {
	p.Helper()
	for line := range strings.Lines(script) {
		line = strings.TrimSuffix(line, "\n")
		switch {
		case strings.HasPrefix(line, "$ "):
			p.end()
			p.note(line)
			name, operation, _ := strings.Cut(line[2:], " ")
			p.begin(name, operation)
			p.hear()
		case strings.HasPrefix(line, "> "):
			p.note(line)
			p.send(line[2:])
			if line == "> 0000" {
				p.hear()
			}
		case strings.HasPrefix(line, "< "), strings.HasPrefix(line, "= "): // what the host says now
		default:
			p.end()
			p.note(line)
		}
	}
	p.end()
	return p.talk.String()
}

func (p *transferPlay) note(line string) { p.talk.WriteString(line + "\n") }

// dial connects with a key of its own.
func (l *lfsHost) dial(who *person.Person) *ssh.Client {
	l.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		l.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(key)
	if err != nil {
		l.Fatal(err)
	}
	text := string(ssh.MarshalAuthorizedKey(signer.PublicKey()))
	out, err := l.Root.IAM().UploadSSHPublicKey(l.Context(), &iam.UploadSSHPublicKeyInput{UserName: &who.Name, SSHPublicKeyBody: &text})
	if err != nil {
		l.Fatal(err)
	}
	address, err := url.Parse(l.Endpoints(l.T).SSH)
	if err != nil {
		l.Fatal(err)
	}
	raw, err := new(net.Dialer).DialContext(l.Context(), "tcp", address.Host)
	if err != nil {
		l.Fatal(err)
	}
	conn, channels, requests, err := ssh.NewClientConn(raw, address.Host, &ssh.ClientConfig{
		User: *out.SSHPublicKey.SSHPublicKeyId, Auth: []ssh.AuthMethod{ssh.PublicKeys(signer)},
		HostKeyCallback: ssh.InsecureIgnoreHostKey(), //nolint:gosec // a host that this test has started
	})
	if err != nil {
		l.Fatal(err)
	}
	client := ssh.NewClient(conn, channels, requests)
	l.Cleanup(func() { _ = client.Close() })
	return client
}

func (p *transferPlay) begin(name, operation string) {
	p.Helper()
	who := map[string]*person.Person{"junior": p.junior, "senior": p.senior}[name]
	if p.conns[name] == nil {
		p.conns[name] = p.dial(who)
	}
	var err error
	if p.session, err = p.conns[name].NewSession(); err != nil {
		p.Fatal(err)
	}
	p.told.Reset()
	p.session.Stderr = &p.told
	out, err := p.session.StdoutPipe()
	if err != nil {
		p.Fatal(err)
	}
	p.out = bufio.NewReader(out)
	if p.in, err = p.session.StdinPipe(); err != nil {
		p.Fatal(err)
	}
	if err := p.session.Start("git-lfs-transfer /v1/repos/" + demo.Repository + " " + operation); err != nil {
		p.Fatal(err)
	}
}

var (
	oidOfText = regexp.MustCompile(`OID\(([^)]*)\)`)
	varying   = regexp.MustCompile(`TOKEN[0-9]+|LOCK[0-9]+`)
	account   = regexp.MustCompile(`\b[0-9]{12}\b`)
	different = regexp.MustCompile(`(token=)[^ ]+|(locked-at[ =].*?)[0-9-]+T[0-9:]+Z|(request-id=|next-cursor=).*|()[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}`)
)

func (p *transferPlay) send(text string) {
	p.Helper()
	if text != "0000" && text != "0001" {
		text = oidOfText.ReplaceAllStringFunc(text, func(s string) string {
			content := oidOfText.FindStringSubmatch(s)[1]
			oid := oidOf(content)
			p.names[oid] = "OID(" + content + ")"
			return oid
		})
		text = varying.ReplaceAllStringFunc(text, func(s string) string { return p.values[s] })
		text = string(pktline.Append(nil, text))
	}
	if _, err := io.WriteString(p.in, text); err != nil {
		p.Fatalf("send %q: %v; %s", text, err, p.told.String())
	}
}

// hear notes what the host says up to its flush packet, or to its end.
func (p *transferPlay) hear() {
	p.Helper()
	r := pktline.NewReader(p.out)
	for {
		k, line, err := r.NextLine()
		switch {
		case err != nil:
			p.end()
			return
		case k == pktline.Flush:
			p.note("< 0000")
			return
		case k == pktline.Delim:
			p.note("< 0001")
		default:
			for part := range strings.SplitSeq(string(line), "\n") {
				p.note("< " + p.named(part))
			}
		}
	}
}

// named gives what is different each time its name.
func (p *transferPlay) named(line string) string {
	line = account.ReplaceAllString(line, "123456789012")
	for value, name := range p.names {
		line = strings.ReplaceAll(line, value, name)
	}
	return different.ReplaceAllStringFunc(line, func(s string) string {
		m := different.FindStringSubmatch(s)
		switch {
		case m[1] != "":
			return m[1] + p.name(0, "TOKEN", s[len(m[1]):])
		case m[2] != "":
			return m[2] + "TIME"
		case m[3] != "":
			return m[3] + "ID"
		}
		return p.name(1, "LOCK", s)
	})
}

func (p *transferPlay) name(kind int, prefix, value string) string {
	p.counts[kind]++
	name := fmt.Sprintf("%s%d", prefix, p.counts[kind])
	p.names[value], p.values[name] = name, value
	return name
}

// end hangs up, and notes how it ended.
func (p *transferPlay) end() {
	p.Helper()
	if p.session == nil {
		return
	}
	_ = p.in.Close()
	_, _ = io.Copy(io.Discard, p.out)
	err := p.session.Wait()
	status := 0
	if exit, ok := errors.AsType[*ssh.ExitError](err); ok {
		status = exit.ExitStatus()
	} else if err != nil {
		p.Errorf("the session ended with %v", err)
	}
	for line := range strings.Lines(p.told.String()) {
		p.note("= " + strings.TrimSuffix(line, "\n"))
	}
	p.note(fmt.Sprintf("= exit %d", status))
	p.session = nil
}
