package policycmd

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/refward/refward/policy"
)

const explainManual = `Usage: refward policy explain --action ACTION --resource ARN [--flag VALUE ...] [FILE ...]

Decides one request by the policies in files, and says why.

Policies:
  FILE               an identity policy: inline, attached, or of a group
  --identity FILE    the same
  --boundary FILE    a permissions boundary
  --session FILE     a session policy
  --scp FILE         a service control policy; those of one level are given one after
                     the other, and one of them has to allow
  --next-level       between two --scp: what follows is of the next level (root, each
                     organizational unit, account), and each level has to allow
  --trust FILE       the trust policy of the role that is to be assumed; --principal then
                     says who asks

The request:
  --action ACTION    such as codecommit:GitPush
  --resource ARN     or "*" for an action without a resource
  --context KEY=VALUE  a condition key; given again, the key has several values
  --context-file FILE  JSON: {"KEY": "VALUE", "KEY": ["VALUE", "VALUE"]}; --context wins
  --principal WHO    who asks, for --trust: an ARN, an account, a unique ID, a service or
                     an identity provider
  --account ID       of the role, when --resource does not say; it also is that of a
                     principal given by its unique ID

The request carries the condition keys that are given, and none besides: not even
aws:PrincipalArn.

  --format FORM      paragraph (the default), line or json

Exit status: 0 allow, 1 deny, 2 a policy or the command line was not understood.
`

// explaining is the flags of "refward policy explain".
type explaining struct {
	question
	identity, boundary, session []string
	scps                        [][]string
	trust                       string
	context                     []string
	contextFile                 string
	print                       func(io.Writer, *question, *decision) error
}

func runExplain(_ context.Context, s Streams, args []string) (int, error) {
	x := explaining{print: printParagraph}
	fs := newFlags()
	fs.Var(repeated{&x.identity}, "identity", "")
	fs.Var(repeated{&x.boundary}, "boundary", "")
	fs.Var(repeated{&x.session}, "session", "")
	fs.Func("scp", "", x.addSCP)
	fs.BoolFunc("next-level", "", x.nextLevel)
	fs.StringVar(&x.trust, "trust", "", "")
	fs.StringVar(&x.request.Action, "action", "", "")
	fs.StringVar(&x.request.Resource, "resource", "", "")
	fs.StringVar(&x.principal, "principal", "", "")
	fs.StringVar(&x.account, "account", "", "")
	fs.Var(repeated{&x.context}, "context", "")
	fs.StringVar(&x.contextFile, "context-file", "", "")
	fs.Var(choice[func(io.Writer, *question, *decision) error]{strings.Fields("paragraph line json"), []func(io.Writer, *question, *decision) error{
		printParagraph, printLine, printJSON,
	}, &x.print}, "format", "")
	files, err := parseFlags(fs, args)
	if err != nil {
		return 0, err
	}
	x.identity = append(x.identity, files...)
	switch {
	case len(x.identity)+len(x.boundary)+len(x.session)+len(x.scps) == 0 && x.trust == "":
		return 0, usageError{"name at least one policy"}
	case x.request.Action == "":
		return 0, usageError{"--action is missing"}
	case x.request.Resource == "":
		return 0, usageError{`--resource is missing: an ARN, or "*" for an action without one`}
	case x.trust != "" && x.principal == "":
		return 0, usageError{"--trust needs --principal: who asks"}
	case x.trust == "" && x.principal != "":
		return 0, usageError{"--principal is matched with a trust policy: give --trust, or the condition keys that policies ask for with --context"}
	}
	return x.run(s)
}

func (x *explaining) addSCP(name string) error {
	if len(x.scps) == 0 {
		x.scps = [][]string{nil}
	}
	last := len(x.scps) - 1
	x.scps[last] = append(x.scps[last], name)
	return nil
}

func (x *explaining) nextLevel(string) error {
	if len(x.scps) == 0 || x.scps[len(x.scps)-1] == nil {
		return fmt.Errorf("it stands between two --scp")
	}
	x.scps = append(x.scps, nil)
	return nil
}

func (x *explaining) run(s Streams) (int, error) {
	in := &reader{in: s.In}
	if err := x.readPolicies(in); err != nil {
		return 0, err
	}
	if err := x.readContext(in); err != nil {
		return 0, err
	}
	if err := x.check(); err != nil {
		return 0, usageError{err.Error()}
	}
	d := x.decide()
	if err := x.print(s.Out, &x.question, &d); err != nil {
		return 0, err
	}
	if d.outcome != policy.Allow {
		return statusNo, nil
	}
	return statusYes, nil
}

func (x *explaining) readPolicies(in *reader) (err error) {
	sit := &x.situation
	for _, l := range []struct {
		names []string
		kind  policy.Kind
		to    *[]*policy.Policy
	}{
		{x.identity, policy.Identity, &sit.Identity},
		{x.boundary, policy.Boundary, &sit.Boundary},
		{x.session, policy.Session, &sit.Session},
	} {
		if *l.to, err = in.parseAll(l.names, l.kind); err != nil {
			return err
		}
	}
	for _, names := range x.scps {
		if names == nil {
			return usageError{"--next-level stands between two --scp"}
		}
		level, err := in.parseAll(names, policy.ServiceControl)
		if err != nil {
			return err
		}
		sit.SCPs = append(sit.SCPs, level)
	}
	if x.trust != "" {
		x.question.trust, err = in.parse(x.trust, policy.Trust)
	}
	return err
}

func (r *reader) parseAll(names []string, kind policy.Kind) (all []*policy.Policy, err error) {
	for _, name := range names {
		p, err := r.parse(name, kind)
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, nil
}

// readContext sets the keys of the file and then those of the command line.
func (x *explaining) readContext(in *reader) error {
	if x.contextFile != "" {
		text, err := in.read(x.contextFile)
		if err != nil {
			return err
		}
		if err := checkJSON(text); err != nil {
			return fmt.Errorf("%s: %w", show(x.contextFile), err)
		}
		if err := readContext(text, &x.request.Context); err != nil {
			return fmt.Errorf("%s: %w", show(x.contextFile), err)
		}
	}
	given := map[string][]string{}
	for _, kv := range x.context {
		key, value, ok := strings.Cut(kv, "=")
		if !ok || key == "" {
			return usagef("--context is KEY=VALUE, not %q", kv)
		}
		folded := strings.ToLower(key)
		given[folded] = append(given[folded], value)
		x.request.Context.Set(key, given[folded]...)
	}
	return nil
}

func printLine(w io.Writer, _ *question, d *decision) error {
	_, err := fmt.Fprintln(w, d.words())
	return err
}

func printParagraph(w io.Writer, _ *question, d *decision) error {
	_, err := io.WriteString(w, d.paragraph())
	return err
}

func printJSON(w io.Writer, q *question, d *decision) error {
	out := struct {
		Decision string              `json:"decision"`
		Line     string              `json:"line"`
		Reasons  []reason            `json:"reasons"`
		Action   string              `json:"action"`
		Resource string              `json:"resource"`
		Trace    []policy.LayerTrace `json:"trace"`
	}{d.outcome.String(), d.words(), q.reasons(d), q.request.Action, q.request.Resource, d.explanation.Trace().Layers}
	for i := range d.by {
		out.Reasons[i].Name = d.by[i].Policy.Source().Name
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(out)
}
