package policycmd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/rogpeppe/go-internal/diff"

	"github.com/refward/refward/policy"
)

const formatManual = `Usage: refward policy fmt [-l] [-w] [-d] [--canonical] [FILE ...]

Prints policy documents in one style: the same elements in the same order, with the
white space of gofmt's spirit. Without a FILE it reads standard input. What is not a
policy is left alone, and said.

Flags:
  -l                 print the names of the files that are formatted otherwise
  -w                 write the files instead of printing them
  -d                 print what would change, as diff -u does
  --canonical        the one text of all policies that say the same: elements in the
                     order of the documentation, lists sorted and without repeats, one
                     value without brackets, the version spelled out
  --kind KIND        identity, managed, boundary, session, scp, trust or resource: the
                     rules that the documents are read by (whichever fit)

Exit status: 0 done, 1 with -l or -d when a file is formatted otherwise, 2 a file could
not be read or written or is no policy. The other files are done all the same.
`

// formatting is the flags of "refward policy fmt".
type formatting struct {
	list, write, diff, canonical bool
	kinds                        []policy.Kind // tried in order

	in reader
	Streams
}

func runFormat(_ context.Context, s Streams, args []string) (int, error) {
	f := formatting{
		// The three grammars: no principal, a principal and no resource, both.
		kinds:   []policy.Kind{policy.Identity, policy.Trust, policy.Resource},
		in:      reader{in: s.In},
		Streams: s,
	}
	fs := newFlags()
	fs.BoolVar(&f.list, "l", false, "")
	fs.BoolVar(&f.write, "w", false, "")
	fs.BoolVar(&f.diff, "d", false, "")
	fs.BoolVar(&f.canonical, "canonical", false, "")
	fs.Func("kind", "", func(v string) error {
		f.kinds = make([]policy.Kind, 1)
		return kindFlag(&f.kinds[0]).Set(v)
	})
	names, err := parseFlags(fs, args)
	if err != nil {
		return 0, err
	}
	if len(names) == 0 {
		names = []string{stdin}
	}
	status := statusYes
	for _, name := range names {
		if name == stdin && f.write {
			return 0, usageError{"-w cannot write standard input"}
		}
		differs, err := f.file(name)
		switch {
		case err != nil:
			fmt.Fprintf(s.Err, "refward policy fmt: %v\n", err)
			status = statusTrouble
		case differs && (f.list || f.diff):
			status = max(status, statusNo)
		}
	}
	return status, nil
}

// file formats one file and reports whether it was formatted otherwise.
func (f *formatting) file(name string) (differs bool, err error) {
	before, err := f.in.read(name)
	if err != nil {
		return false, err
	}
	p, err := f.parse(before)
	if err != nil {
		return false, located(name, err)
	}
	after := p.Format()
	if f.canonical {
		after = p.Document().Canonical()
	}
	differs = !bytes.Equal(before, after)
	if differs && f.list {
		_, err = fmt.Fprintln(f.Out, show(name))
	}
	if differs && f.write && err == nil {
		err = replace(name, after)
	}
	if differs && f.diff && err == nil {
		_, err = f.Out.Write(diff.Diff(show(name)+".orig", before, show(name), after))
	}
	if !f.list && !f.write && !f.diff && err == nil {
		_, err = f.Out.Write(after)
	}
	return differs, err
}

// parse reads a document by the first kind whose rules it keeps. When it keeps none, the
// error is that of the kind whose rules it kept longest.
func (f *formatting) parse(text []byte) (*policy.Policy, error) {
	var furthest *policy.SyntaxError
	for _, kind := range f.kinds {
		p, err := policy.Parse(policy.Source{}, kind, text)
		if err == nil {
			return p, nil
		}
		e, ok := errors.AsType[*policy.SyntaxError](err)
		if !ok {
			return nil, err
		}
		if furthest == nil || e.Line > furthest.Line || e.Line == furthest.Line && e.Column > furthest.Column {
			furthest = e
		}
	}
	return nil, furthest
}

// replace writes a file as a whole or not at all. A link stays a link, and the file
// keeps its permissions.
func replace(name string, text []byte) (err error) {
	path, err := filepath.EvalSymlinks(name)
	if err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(tmp.Name()))
		}
	}()
	_, err = tmp.Write(text)
	if err == nil {
		err = tmp.Chmod(info.Mode().Perm())
	}
	if err == nil {
		err = tmp.Sync()
	}
	if err = errors.Join(err, tmp.Close()); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), path)
}
