package policycmd

import (
	"context"
	"io"
	"path/filepath"
	"strings"

	"github.com/refward/refward/policy"
	"github.com/refward/refward/policy/validate"
	"github.com/refward/refward/policy/validate/report"
)

const validateManual = `Usage: refward policy validate [--flag VALUE ...] FILE ...

Finds what is wrong, dangerous or without effect in policy documents. A finding has
a place, one of four severities, a stable code and often a mend:

  ERROR              the document cannot be saved
  SECURITY_WARNING   it lets through what it seems to stop
  WARNING            it has no effect, or one that its author cannot have meant
  SUGGESTION         the same can be said in a better way

Flags:
  --kind KIND        identity (the default), managed, boundary, session, scp, trust or
                     resource: the rules that the documents are checked by
  --account ID       the account that they are meant for: names of others are found
  --region REGION    the region, and
  --partition NAME   the partition, likewise
  --target WHO       host (the default) or aws: who will read the documents
  --format FORM      text (the default), json or sarif
  --fail-on SEVERITY error (the default), security-warning, warning, suggestion or
                     never: the least severity that makes the exit status 1

Exit status: 0 no finding is as severe as --fail-on, 1 one is, 2 a file could not be
read or the command line was not understood.
`

// never is above every severity.
const never = validate.Error + 1

// validation is the flags of "refward policy validate".
type validation struct {
	kind    policy.Kind
	options validate.Options
	failOn  validate.Severity
	print   func(io.Writer, []report.File) error
}

func runValidate(_ context.Context, s Streams, args []string) (int, error) {
	v := validation{failOn: validate.Error, print: report.Text}
	fs := newFlags()
	fs.Var(kindFlag(&v.kind), "kind", "")
	fs.StringVar(&v.options.Account, "account", "", "")
	fs.StringVar(&v.options.Region, "region", "", "")
	fs.StringVar(&v.options.Partition, "partition", "", "")
	fs.Var(choice[validate.Target]{[]string{"host", "aws"}, []validate.Target{validate.Host, validate.AWS}, &v.options.Target}, "target", "")
	fs.Var(choice[validate.Severity]{strings.Fields("error security-warning warning suggestion never"), []validate.Severity{
		validate.Error, validate.SecurityWarning, validate.Warning, validate.Suggestion, never,
	}, &v.failOn}, "fail-on", "")
	fs.Var(choice[func(io.Writer, []report.File) error]{strings.Fields("text json sarif"), []func(io.Writer, []report.File) error{
		report.Text, report.JSON, report.SARIF,
	}, &v.print}, "format", "")
	names, err := parseFlags(fs, args)
	switch {
	case err != nil:
		return 0, err
	case len(names) == 0:
		return 0, usageError{"name the files to validate, or - for standard input"}
	case v.options.Account != "" && !isAccount(v.options.Account):
		return 0, usagef("--account is 12 digits, not %q", v.options.Account)
	}
	return v.run(s, names)
}

func (v *validation) run(s Streams, names []string) (int, error) {
	in := reader{in: s.In}
	var files []report.File
	for _, name := range names {
		text, err := in.read(name)
		if err != nil {
			return 0, err
		}
		files = append(files, report.File{
			Name:     filepath.ToSlash(show(name)),
			Source:   text,
			Findings: validate.Document(v.kind, text, v.options),
		})
	}
	if err := v.print(s.Out, files); err != nil {
		return 0, err
	}
	if report.Worst(files) >= v.failOn {
		return statusNo, nil
	}
	return statusYes, nil
}
