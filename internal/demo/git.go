package demo

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/refward/refward/internal/person"
)

// reasons are what a refused push must tell: the policy, its statement, and the way
// that is open.
var reasons = []string{Juniors, "MayNotChangeMaster", "pull request"}

// by returns who has that name, and the checkout they work in.
func (s *stage) by(who string) (*person.Person, string) {
	if who == Senior {
		return s.senior, filepath.Join(s.dir, Senior)
	}
	return s.junior, filepath.Join(s.dir, Junior)
}

// origin stands for the repository's URL in commands that do not run in a clone of it.
const origin = "ORIGIN"

// git runs commands one after the other in somebody's checkout, up to one that fails.
func (s *stage) git(ctx context.Context, who string, commands ...string) (person.Result, error) {
	p, dir := s.by(who)
	var last person.Result
	for _, c := range commands {
		var err error
		if last, err = p.Git(ctx, dir, strings.Fields(strings.ReplaceAll(c, origin, s.cloneURL))...); err != nil || !last.OK() {
			return last, err
		}
	}
	return last, nil
}

// gits is a few git commands of which each works.
func gits(who, want string, commands ...string) step {
	does := "git " + strings.Join(commands, "; git ")
	return step{who, does, want, func(ctx context.Context, s *stage) (seen, error) {
		r, err := s.git(ctx, who, commands...)
		return seen{or(brief(r.Output), "done"), err == nil && r.OK()}, err
	}}
}

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

// brief leaves out what git says of its own progress.
func brief(output string) string {
	var keep []string
	for line := range strings.SplitSeq(output, "\n") {
		if line = strings.TrimRight(line, " \r"); line != "" && !strings.Contains(line, "\r") {
			keep = append(keep, line)
		}
	}
	return strings.Join(keep, "\n")
}

// A push of the story: what it does to which refs.
type push struct {
	what   string   // in a few words
	before []string // git commands that lead up to it
	git    string   // the push itself
	lands  []string // refs that are there afterwards
	fails  []string // refs that are not
	after  []string // git commands that tidy up
}

// outcome is what is expected of a push to master.
type outcome struct {
	want  string
	moves bool     // master is then at the junior's HEAD, else where it was
	words []string // that git prints
}

var (
	stopped  = outcome{"refused, naming policy, statement and the way out; master unchanged", false, reasons}
	shut     = outcome{"refused; master unchanged", false, nil}
	passes   = outcome{"master moves", true, nil}
	unproven = outcome{"authentication fails; master unchanged", false, []string{"Authentication failed"}}
)

// pushes is a push by the junior and what is expected of it.
func pushes(p push, o outcome) step {
	want := o.want
	if len(p.lands) > 0 {
		want += "; " + strings.Join(p.lands, ", ") + " lands"
	}
	if len(p.fails) > 0 {
		want += "; " + strings.Join(p.fails, ", ") + " does not land"
	}
	return step{Junior, "git " + p.git + "   (" + p.what + ")", want, func(ctx context.Context, s *stage) (seen, error) {
		if r, err := s.git(ctx, Junior, p.before...); err != nil || !r.OK() {
			return seen{text: "could not be prepared: " + r.Output}, err
		}
		before, err := s.refs(ctx)
		if err != nil {
			return seen{}, err
		}
		r, err := s.git(ctx, Junior, p.git)
		if err != nil {
			return seen{}, err
		}
		got := seen{brief(r.Output), r.OK() == o.moves && holds(r.Output, o.words)}
		if err := s.judge(ctx, &got, before[master], p, o); err != nil {
			return seen{}, err
		}
		if tidy, err := s.git(ctx, Junior, p.after...); err != nil || !tidy.OK() {
			return seen{text: "could not be tidied up: " + tidy.Output}, err
		}
		return got, nil
	}}
}

// master is the ref that the story is about.
const master = "refs/heads/master"

// refs asks the host with git, as the senior, for every ref and its object ID.
func (s *stage) refs(ctx context.Context) (map[string]string, error) {
	return s.senior.Refs(ctx, s.cloneURL)
}

// judge looks at the host's refs after a push.
func (s *stage) judge(ctx context.Context, got *seen, was string, p push, o outcome) error {
	refs, err := s.refs(ctx)
	if err != nil {
		return err
	}
	note := func(ok bool, format string, args ...any) {
		got.text += "\n" + fmt.Sprintf(format, args...)
		got.ok = got.ok && ok
	}
	want := was
	if o.moves {
		head, err := s.git(ctx, Junior, "rev-parse HEAD")
		if err != nil {
			return err
		}
		want = strings.TrimSpace(head.Output)
	}
	note(refs[master] == want, "%s was at %.10s and is at %.10s", master, was, refs[master])
	for _, ref := range p.lands {
		note(refs[ref] != "", "%s is at %.10s", ref, or(refs[ref], "nothing"))
	}
	for _, ref := range p.fails {
		note(refs[ref] == "", "%s is at %.10s", ref, or(refs[ref], "nothing"))
	}
	return nil
}
