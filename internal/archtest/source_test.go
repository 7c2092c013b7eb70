package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const module = "github.com/refward/refward/"

// root is the module's folder, from here.
const root = "../.."

// source is one Go file.
type source struct {
	pkg  string // folder below the root, with slashes: "internal/authz"
	path string
	test bool
	file *ast.File
	fset *token.FileSet
	// lines is how many the file has.
	lines int
}

// imports returns the file's imports: those of this module without its path in front.
func (s source) imports() []string {
	var all []string
	for _, i := range s.file.Imports {
		all = append(all, strings.TrimPrefix(strings.Trim(i.Path.Value, `"`), module))
	}
	return all
}

func (s source) at(n ast.Node) string {
	p := s.fset.Position(n.Pos())
	return strings.TrimPrefix(filepath.ToSlash(p.String()), root+"/")
}

// sources parses every Go file of the module.
func sources(t *testing.T) []source {
	t.Helper()
	var all []source
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() {
			if path != root && (strings.HasPrefix(name, ".") || name == "testdata" || isModule(path)) {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, path, text, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil {
			return err
		}
		all = append(all, source{
			pkg: filepath.ToSlash(rel), path: path, test: strings.HasSuffix(name, "_test.go"),
			file: f, fset: fset, lines: strings.Count(string(text), "\n"),
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 50 {
		t.Fatalf("found %d Go files: the module is not at %s", len(all), root)
	}
	return all
}

// isModule reports whether a folder is a module of its own.
func isModule(dir string) bool {
	if dir == root {
		return false
	}
	_, err := os.Stat(filepath.Join(dir, "go.mod"))
	return err == nil
}

// isKit reports whether a package exists for tests: a suite, a host in a test.
func isKit(pkg string) bool { return strings.HasSuffix(pkg, "test") }
