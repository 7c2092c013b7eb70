package archtest

import (
	"go/ast"
	"slices"
	"testing"
)

// How long things may get: a reader holds one function in the head, and finds a thing in
// one file. Tests are not counted.
const (
	longFunction    = 120 // lines, no function is longer
	longFile        = 800
	mostFunctions   = 45 // nine of ten are at most this long
	mostFiles       = 450
	ninetyPercent   = 90
	hundredPercent  = 100
	fewestToCompare = 100
)

func TestFunctionsAreShort(t *testing.T) {
	var lengths []int
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		for _, d := range s.file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Body == nil {
				continue
			}
			n := s.fset.Position(f.End()).Line - s.fset.Position(f.Pos()).Line + 1
			lengths = append(lengths, n)
			// A table in a function's body is data, not something to follow.
			if n > longFunction && !isTable(f) {
				t.Errorf("%s: %s has %d lines, more than %d", s.at(f), f.Name.Name, n, longFunction)
			}
		}
	}
	ninety(t, "functions", lengths, mostFunctions)
}

// isTable reports whether a function only returns a literal.
func isTable(f *ast.FuncDecl) bool {
	if len(f.Body.List) != 1 {
		return false
	}
	r, ok := f.Body.List[0].(*ast.ReturnStmt)
	if !ok || len(r.Results) != 1 {
		return false
	}
	_, ok = r.Results[0].(*ast.CompositeLit)
	return ok
}

func TestFilesAreShort(t *testing.T) {
	var lengths []int
	for _, s := range sources(t) {
		if s.test || ast.IsGenerated(s.file) {
			continue
		}
		lengths = append(lengths, s.lines)
		if s.lines > longFile {
			t.Errorf("%s has %d lines, more than %d", s.path, s.lines, longFile)
		}
	}
	ninety(t, "files", lengths, mostFiles)
}

func ninety(t *testing.T, what string, lengths []int, most int) {
	t.Helper()
	if len(lengths) < fewestToCompare {
		return
	}
	slices.Sort(lengths)
	if got := lengths[len(lengths)*ninetyPercent/hundredPercent]; got > most {
		t.Errorf("one in ten %s has %d lines or more; at most %d", what, got, most)
	}
}
