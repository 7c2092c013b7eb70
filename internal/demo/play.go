package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/refward/refward/internal/person"
)

// ErrOtherwise is returned, wrapped, by [Play] when a step went otherwise than
// expected.
var ErrOtherwise = errors.New("the story went otherwise")

// A step is one thing somebody does.
type step struct {
	who  string // "juniordev"
	does string // as typed, or nearly
	want string // what is expected, for people
	run  func(ctx context.Context, s *stage) (seen, error)
}

// seen is what came of a step, for people, and whether it is what was expected. An
// error beside it means that nothing could be seen.
type seen struct {
	text string
	ok   bool
}

// A chapter is a few steps under a title.
type chapter struct {
	title string
	steps []step
}

// stage is what the steps of one play share.
type stage struct {
	place   person.Place
	account string
	dir     string // checkouts are below it

	root, junior, senior *person.Person

	cloneURL    string
	pullRequest string
	password    string // of the junior's credential, not yet known to the junior
}

// Play plays the whole story on a fresh host whose root user is given, with checkouts
// below dir, and prints it to out. It goes on after a step that went otherwise, and then
// answers ErrOtherwise.
func Play(ctx context.Context, out io.Writer, root *person.Person, account, dir string) error {
	s := &stage{place: root.Place, account: account, dir: dir, root: root}
	number, failed := 0, 0
	for i, c := range story() {
		fmt.Fprintf(out, "\n%d. %s\n", i+1, c.title)
		for _, st := range c.steps {
			number++
			got, err := st.run(ctx, s)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err != nil {
				got = seen{text: err.Error()}
			}
			if !got.ok {
				failed++
			}
			print(out, st, got)
		}
	}
	if failed > 0 {
		return fmt.Errorf("%w: %d of %d steps", ErrOtherwise, failed, number)
	}
	fmt.Fprintf(out, "\nAll %d steps went as expected.\n", number)
	return nil
}

func print(out io.Writer, st step, got seen) {
	mark := "ok"
	if !got.ok {
		mark = "NO"
	}
	fmt.Fprintf(out, "\n   %s  %s: %s\n", mark, st.who, st.does)
	fmt.Fprintf(out, "       expected  %s\n", st.want)
	for i, line := range strings.Split(strings.TrimSpace(got.text), "\n") {
		label := "         "
		if i == 0 {
			label = "seen     "
		}
		fmt.Fprintf(out, "       %s %s\n", label, line)
	}
}
