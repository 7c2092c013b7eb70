package policycmd

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/refward/refward/policy"
)

// maxFile is the longest file that is read, in bytes: a document at the limit of its
// length with every character escaped would fit.
const maxFile = 8 * policy.MaxDocument

// stdin is how standard input is named among files, and stdinName how it shows.
const (
	stdin     = "-"
	stdinName = "<standard input>"
)

var errTwice = errors.New("- (standard input) can be read once only")

// reader reads the files of one command.
type reader struct {
	in   io.Reader
	used bool // standard input was read
}

// show is a file's name for people.
func show(name string) string {
	if name == stdin {
		return stdinName
	}
	return name
}

// read returns the whole of a file.
func (r *reader) read(name string) ([]byte, error) {
	if name == stdin {
		if r.used {
			return nil, errTwice
		}
		r.used = true
		return bounded(stdinName, r.in)
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return bounded(name, f)
}

func bounded(name string, from io.Reader) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(from, maxFile+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read %s: %w", name, err)
	case len(text) > maxFile:
		return nil, fmt.Errorf("%s is longer than %d bytes", name, maxFile)
	}
	return text, nil
}

// parse reads a file and compiles the policy in it.
func (r *reader) parse(name string, kind policy.Kind) (*policy.Policy, error) {
	text, err := r.read(name)
	if err != nil {
		return nil, err
	}
	p, err := policy.Parse(policy.Source{Name: show(name)}, kind, text)
	if err != nil {
		return nil, located(name, err)
	}
	return p, nil
}

// located words why a document was refused as compilers do, with the place first.
func located(name string, err error) error {
	e, ok := errors.AsType[*policy.SyntaxError](err)
	if !ok {
		return fmt.Errorf("%s: %w", show(name), err)
	}
	return fmt.Errorf("%s:%d:%d: %s (%s)", show(name), e.Line, e.Column, e.Message, e.Detail)
}

// kindFlag is --kind.
func kindFlag(to *policy.Kind) choice[policy.Kind] {
	return choice[policy.Kind]{strings.Fields("identity managed boundary session scp trust resource"), []policy.Kind{
		policy.Identity, policy.Managed, policy.Boundary, policy.Session, policy.ServiceControl, policy.Trust, policy.Resource,
	}, to}
}
