package archtest

import (
	"go/ast"
	"slices"
	"strings"
	"testing"
)

// Below the command and the wiring, the clock is a field, the environment is
// configuration and the logger is a field.
var forbidden = []string{"time.Now", "time.Since", "time.Until", "os.Getenv", "os.LookupEnv", "os.Environ", "slog.Default", "slog.Info", "slog.Warn", "slog.Error", "log.Print", "log.Printf", "log.Println", "log.Fatal", "os.Exit"}

// mayUse are the packages at the rim, each with why.
var mayUse = map[string]string{
	"cmd/refward":                   "reads the environment and starts the clock",
	"internal/server":               "gives the clock to the others",
	"internal/person":               "runs git as a person does, with the PATH of the machine",
	"internal/conformance/gitsuite": "a command, for tests",
	"internal/gitserver":            "deadlines of connections are points of the kernel's clock",
}

func TestClockEnvironmentAndLogger(t *testing.T) {
	for _, s := range sources(t) {
		if s.test || isKit(s.pkg) || mayUse[s.pkg] != "" {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if x, ok := sel.X.(*ast.Ident); ok && slices.Contains(forbidden, x.Name+"."+sel.Sel.Name) {
				t.Errorf("%s: %s.%s is for cmd and internal/server: take it as a field", s.at(sel), x.Name, sel.Sel.Name)
			}
			return true
		})
	}
}

func TestNoInit(t *testing.T) {
	for _, s := range sources(t) {
		for _, d := range s.file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
				t.Errorf("%s: no init: what a package does before it is asked, nobody can order or test", s.at(f))
			}
		}
	}
}

func TestTestingStaysInTests(t *testing.T) {
	for _, s := range sources(t) {
		if s.test || isKit(s.pkg) {
			continue
		}
		for _, i := range s.imports() {
			if i == "testing" || strings.HasPrefix(i, "testing/") || isKit(i) && strings.HasPrefix(i, "internal/") {
				t.Errorf("%s imports %s", s.path, i)
			}
		}
	}
}

// Tests wait for what they wait for.
func TestTestsDoNotSleep(t *testing.T) {
	for _, s := range sources(t) {
		if slices.Contains(s.imports(), "testing/synctest") {
			continue // there a sleep takes no time
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if x, ok := sel.X.(*ast.Ident); ok && x.Name == "time" && sel.Sel.Name == "Sleep" {
				t.Errorf("%s: time.Sleep: wait for the thing itself", s.at(sel))
			}
			return true
		})
	}
}
