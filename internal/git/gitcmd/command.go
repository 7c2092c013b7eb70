package gitcmd

import (
	"context"
	"strings"

	"github.com/refward/refward/internal/git/oid"
)

// Command is one run of git in the making. Its methods return it, so that a command
// reads in one go.
type Command struct {
	git      *Git
	name     string
	gitDir   string
	dir      string
	config   []string
	flags    []string
	operands []string
	env      []string
	class    Class
	memory   uint64
	before   func(context.Context) error
	stdio
}

// Command begins a command: "index-pack", "merge-base".
func (g *Git) Command(name string) *Command { return &Command{git: g, name: name} }

// GitDir sets the repository.
func (c *Command) GitDir(dir string) *Command { c.gitDir = dir; return c }

// Dir sets the working directory.
func (c *Command) Dir(dir string) *Command { c.dir = dir; return c }

// Config sets one configuration variable for this run.
func (c *Command) Config(key, value string) *Command {
	c.config = append(c.config, "-c", key+"="+value)
	return c
}

// Flag adds an option without a value. It is a constant of the program: one that does
// not begin with a hyphen is a mistake, and panics.
func (c *Command) Flag(name string) *Command {
	if !strings.HasPrefix(name, "-") || strings.Contains(name, "=") {
		panic("gitcmd: " + name + " is not a flag")
	}
	c.flags = append(c.flags, name)
	return c
}

// Option adds an option with its value, as one argument: --name=value.
func (c *Command) Option(name, value string) *Command {
	if !strings.HasPrefix(name, "--") || strings.Contains(name, "=") {
		panic("gitcmd: " + name + " is not a long option")
	}
	c.flags = append(c.flags, name+"="+value)
	return c
}

// Object adds an object ID behind the options.
func (c *Command) Object(ids ...oid.ID) *Command {
	for _, id := range ids {
		c.operands = append(c.operands, id.String())
	}
	return c
}

// Operand adds any text behind the options, where git never takes it for an option.
func (c *Command) Operand(text ...string) *Command {
	c.operands = append(c.operands, text...)
	return c
}

// Objects names the folder that objects are written to, and those they are read from
// besides it. No folder may have a colon in its name: see [CheckFolder].
func (c *Command) Objects(folder string, alternates ...string) *Command {
	c.env = append(c.env, "GIT_OBJECT_DIRECTORY="+folder)
	if len(alternates) > 0 {
		c.env = append(c.env, "GIT_ALTERNATE_OBJECT_DIRECTORIES="+strings.Join(alternates, ":"))
	}
	return c
}

// Protocol sets the version of the wire protocol that the client asked for.
func (c *Command) Protocol(version string) *Command {
	c.env = append(c.env, "GIT_PROTOCOL=version="+version)
	return c
}

// Class sets what the process mostly waits for. The default is [Working].
func (c *Command) Class(class Class) *Command { c.class = class; return c }

// Memory bounds the memory that the process may allocate, in bytes, on systems that
// can (Linux). Files that it maps do not count.
func (c *Command) Memory(bytes uint64) *Command { c.memory = bytes; return c }

// Before sets what is done once the process has its place and before it is started, so
// that it holds the place, too. Its error is Run's. It has to return when the context
// ends.
func (c *Command) Before(f func(context.Context) error) *Command { c.before = f; return c }

// args returns the arguments in the order that git wants. Some commands know another
// end of their options, and index-pack knows none: its operand is an absolute path,
// which is never taken for an option.
func (c *Command) args() []string {
	var a []string
	if c.gitDir != "" {
		a = append(a, "--git-dir="+c.gitDir)
	}
	a = append(a, c.config...)
	a = append(a, c.name)
	a = append(a, c.flags...)
	switch {
	case len(c.operands) == 0:
	case c.name == "index-pack":
		a = append(a, c.operands...)
	case c.name == "upload-pack" || c.name == "merge-file":
		a = append(append(a, "--"), c.operands...)
	default:
		a = append(append(a, "--end-of-options"), c.operands...)
	}
	return a
}
