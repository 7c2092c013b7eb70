package archtest

import (
	"go/ast"
	"slices"
	"strings"
	"testing"
)

// Every package says what it is.
func TestPackagesAreDocumented(t *testing.T) {
	documented := map[string]bool{}
	for _, s := range sources(t) {
		if s.test && !documented[s.pkg] {
			continue
		}
		documented[s.pkg] = documented[s.pkg] || s.file.Doc != nil && len(s.file.Doc.Text()) > 40
	}
	for pkg, ok := range documented {
		if !ok {
			t.Errorf("package %s has no package comment: say what it is, the terms it uses and what it does not do", pkg)
		}
	}
}

// Every exported identifier has a comment; those of a group may share the group's.
func TestExportedIdentifiersAreDocumented(t *testing.T) {
	for _, s := range sources(t) {
		if s.test || s.file.Name.Name == "main" {
			continue
		}
		for _, d := range s.file.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Name.IsExported() && (d.Recv == nil || exportedReceiver(d.Recv)) && d.Doc == nil {
					t.Errorf("%s: %s has no comment", s.at(d), d.Name.Name)
				}
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					checkSpec(t, s, d, spec)
				}
			}
		}
	}
}

func exportedReceiver(recv *ast.FieldList) bool {
	e := recv.List[0].Type
	for {
		switch x := e.(type) {
		case *ast.StarExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.IndexListExpr:
			e = x.X
		case *ast.Ident:
			return x.IsExported()
		default:
			return false
		}
	}
}

func checkSpec(t *testing.T, s source, d *ast.GenDecl, spec ast.Spec) {
	switch spec := spec.(type) {
	case *ast.TypeSpec:
		if spec.Name.IsExported() && d.Doc == nil && spec.Doc == nil {
			t.Errorf("%s: type %s has no comment", s.at(spec), spec.Name.Name)
		}
	case *ast.ValueSpec:
		exported := slices.ContainsFunc(spec.Names, (*ast.Ident).IsExported)
		if exported && d.Doc == nil && spec.Doc == nil && spec.Comment == nil {
			t.Errorf("%s: %s has no comment", s.at(spec), spec.Names[0].Name)
		}
	}
}

// Packages are named for what they are.
func TestPackageNames(t *testing.T) {
	for _, s := range sources(t) {
		for _, bad := range []string{"util", "utils", "common", "helper", "helpers", "base", "models", "types", "misc"} {
			if s.file.Name.Name == bad || strings.Contains("/"+s.pkg+"/", "/"+bad+"/") {
				t.Errorf("%s: %q says nothing about what is in the package", s.path, bad)
			}
		}
	}
}
