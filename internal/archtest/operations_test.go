package archtest

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/refward/refward/internal/awsapi"
	"github.com/refward/refward/internal/codecommit"
	"github.com/refward/refward/internal/iam"
	"github.com/refward/refward/internal/op"
	"github.com/refward/refward/internal/sts"
	"github.com/refward/refward/policy/catalog"
)

//go:generate go test -run TestDocuments -update .

var update = flag.Bool("update", false, "write the generated documents")

// table is the table of operations as the server builds it.
func table(t *testing.T) *op.Table {
	t.Helper()
	tab, err := op.NewTable((&codecommit.Service{}).Operations(), (&iam.Service{}).Operations(), (&sts.Service{}).Operations())
	if err != nil {
		t.Fatal(err)
	}
	return tab
}

func TestActionsAreInTheCatalog(t *testing.T) {
	for _, o := range table(t).All() {
		row := o.Row()
		for _, name := range row.IAMActions() {
			a, ok := catalog.Lookup(name)
			if !ok {
				t.Errorf("%s:%s is checked by %s, which is not in policy/catalog", row.Service, row.Name, name)
				continue
			}
			if a.Name != name {
				t.Errorf("%s:%s spells its action %s, the catalog %s", row.Service, row.Name, name, a.Name)
			}
			if row.Refs != 0 && a.Access.Reads() {
				t.Errorf("%s:%s changes refs, and the catalog says that %s only reads", row.Service, row.Name, name)
			}
			if row.Identity && a.Access.Reads() {
				t.Errorf("%s:%s changes who may do what, and the catalog says that %s only reads", row.Service, row.Name, name)
			}
		}
	}
}

// What a row says of condition keys, the catalog must allow for one of its actions.
func TestKeysAreInTheCatalog(t *testing.T) {
	for _, o := range table(t).All() {
		row := o.Row()
		var keys []string
		for _, name := range row.IAMActions() {
			if a, ok := catalog.Lookup(name); ok {
				keys = append(keys, a.Keys...)
			}
		}
		for key := range row.Keys {
			if !slices.ContainsFunc(keys, func(k string) bool { return strings.EqualFold(k, key) }) {
				t.Errorf("%s:%s sends %s, which the catalog lists for none of %v", row.Service, row.Name, key, row.IAMActions())
			}
		}
	}
}

// The catalog says on which phase an action carries a key. A row of an action that is
// decided in phases says which one it is, and sends what that phase carries and nothing
// else; every phase has its operation.
func TestPhasesAreThoseOfTheCatalog(t *testing.T) {
	done := map[string]bool{}  // action and phase
	sends := map[string]bool{} // action and key
	for _, o := range table(t).All() {
		for _, name := range o.Row().IAMActions() {
			done[name+" "+o.Row().Phase] = true
			for key := range o.Row().Keys {
				sends[name+" "+key] = true
			}
		}
	}
	for _, o := range table(t).All() {
		row := o.Row()
		for _, name := range row.IAMActions() {
			a, _ := catalog.Lookup(name)
			here, ok := a.Phase(row.Phase)
			if !ok {
				t.Errorf("%s:%s: %s has no phase %q", row.Service, row.Name, name, row.Phase)
			}
			for key := range row.Keys {
				if slices.Contains(here.Lacks, key) {
					t.Errorf("%s:%s sends %s, which %s lacks", row.Service, row.Name, key, here.When)
				}
			}
			for _, p := range a.Phases {
				if !done[name+" "+p.Name] {
					t.Errorf("%s: no operation is its phase %q", name, p.Name)
				}
			}
			for _, key := range here.Keys {
				if _, sent := row.Keys[key]; here.Name != "" && sends[name+" "+key] && !sent {
					t.Errorf("%s:%s does not send %s, which %s carries", row.Service, row.Name, key, here.When)
				}
			}
		}
	}
}

// services are those whose API the host speaks.
func services() map[string][]string {
	return map[string][]string{
		"codecommit": awsapi.Known("codecommit"),
		"iam":        awsapi.Known("iam"),
		"sts":        awsapi.Known("sts"),
	}
}

func TestServicesArePublished(t *testing.T) {
	all := services()
	for service, least := range map[string]int{"codecommit": 79, "iam": 150, "sts": 8} {
		if got := len(all[service]); got < least {
			t.Errorf("the SDK's client has %d operations of %s, fewer than %d: are they still found?", got, service, least)
		}
	}
	for _, o := range table(t).All() {
		row := o.Row()
		gits := row.Service == "codecommit" && strings.HasPrefix(row.Name, "Git")
		if !gits && !slices.Contains(all[row.Service], row.Name) {
			t.Errorf("%s:%s is no operation of the SDK's", row.Service, row.Name)
		}
	}
}

func TestDocuments(t *testing.T) {
	compare(t, "docs/operations.md", func(string) string { return operations(table(t)) })
	compare(t, "docs/divergences.md", func(old string) string { return between(old, missing(table(t))) })
}

// compare says when a document is not what it should be, or with -update makes it so.
func compare(t *testing.T, name string, want func(old string) string) {
	t.Helper()
	path := filepath.Join(root, filepath.FromSlash(name))
	old, err := os.ReadFile(path)
	if err != nil && !*update {
		t.Fatal(err)
	}
	text := want(string(old))
	if text == string(old) {
		return
	}
	if !*update {
		t.Errorf("%s is not what the table prints: go generate ./internal/archtest", name)
		return
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func operations(tab *op.Table) string {
	var b strings.Builder
	b.WriteString(`# Operations

Everything that a caller can ask this host to do, printed from the table that the host itself dispatches and checks by
(` + "`go generate ./internal/archtest`" + `). The access level and resource types are IAM's own, from ` + "`policy/catalog`" + `.

- **actions**: the IAM actions that are asked about; in brackets which phase of one that is decided more than once.
- **resource**: where the resource that is checked comes from; "*" stands for actions without one.
- **keys**: the condition keys that the check carries beside the global ones, and where their values come from; *not* those of
  the action's keys that this phase lacks (as far as AWS knows them).
- **refs**: what the operation can do to a ref. **identity**: it can change who may do what.
`)
	service := ""
	for _, o := range tab.All() {
		row := o.Row()
		if row.Service != service {
			service = row.Service
			fmt.Fprintf(&b, "\n## %s\n\n| operation | actions | access | resource | keys | refs | identity |\n|---|---|---|---|---|---|---|\n", service)
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %s |\n", row.Name, actions(row), access(row), resource(row), keys(row), effects(row.Refs), mark(row.Identity))
	}
	return b.String()
}

func actions(row op.Spec) string {
	text := strings.Join(row.IAMActions(), ", ")
	if row.Phase != "" {
		text += " (" + row.Phase + ")"
	}
	if row.Always != "" {
		text += " (not asked: " + row.Always + ")"
	}
	return text
}

func access(row op.Spec) string {
	names := map[catalog.Access]string{
		catalog.List: "List", catalog.Read: "Read", catalog.Write: "Write",
		catalog.Tagging: "Tagging", catalog.PermissionsManagement: "Permissions management",
	}
	var levels []string
	for _, name := range row.IAMActions() {
		if a, ok := catalog.Lookup(name); ok && !slices.Contains(levels, names[a.Access]) {
			levels = append(levels, names[a.Access])
		}
	}
	return strings.Join(levels, ", ")
}

func resource(row op.Spec) string {
	if row.Resource == "" {
		return "*"
	}
	return row.Resource
}

func keys(row op.Spec) string {
	var all []string
	for _, k := range slices.Sorted(maps.Keys(row.Keys)) {
		all = append(all, "`"+k+"`: "+row.Keys[k])
	}
	for _, name := range row.IAMActions() {
		a, _ := catalog.Lookup(name)
		phase, _ := a.Phase(row.Phase)
		for _, k := range phase.Lacks {
			if known, _ := catalog.Key(k); !known.Extension {
				all = append(all, "*not* `"+k+"`")
			}
		}
	}
	return strings.Join(all, "; ")
}

func effects(e op.RefEffect) string {
	var all []string
	for _, x := range []struct {
		effect op.RefEffect
		name   string
	}{
		{op.CreatesRef, "creates"}, {op.FastForwardsRef, "fast-forwards"}, {op.ForcesRef, "forces"},
		{op.DeletesRef, "deletes"}, {op.MovesHead, "moves the default branch"}, {op.DropsRefs, "drops all"},
	} {
		if e&x.effect != 0 {
			all = append(all, x.name)
		}
	}
	return strings.Join(all, ", ")
}

func mark(yes bool) string {
	if yes {
		return "yes"
	}
	return ""
}

// The generated part of divergences.md is between these lines.
const (
	beginMissing = "<!-- begin: operations that are not built; go generate ./internal/archtest -->\n"
	endMissing   = "<!-- end -->\n"
)

func between(old, generated string) string {
	before, rest, ok := strings.Cut(old, beginMissing)
	_, after, closed := strings.Cut(rest, endMissing)
	if !ok || !closed {
		before, after = old+"\n## Operations that are not built\n\n", ""
	}
	return before + beginMissing + generated + endMissing + after
}

func missing(tab *op.Table) string {
	var b strings.Builder
	all := services()
	for _, service := range slices.Sorted(maps.Keys(all)) {
		var absent []string
		for _, name := range all[service] {
			if _, ok := tab.Lookup(service, name); !ok {
				absent = append(absent, name)
			}
		}
		slices.Sort(absent)
		fmt.Fprintf(&b, "\n**%s**: %d of %d built. Not yet:\n", service, len(all[service])-len(absent), len(all[service]))
		if len(absent) == 0 {
			b.WriteString("none.\n")
			continue
		}
		b.WriteString(wrap(strings.Join(absent, ", ")+".", 120))
	}
	b.WriteByte('\n')
	return b.String()
}

// wrap breaks text into lines of at most width bytes.
func wrap(text string, width int) string {
	var b strings.Builder
	line := 0
	for _, word := range strings.Fields(text) {
		switch {
		case line > 0 && line+1+len(word) > width:
			b.WriteByte('\n')
			line = 0
		case line > 0:
			b.WriteByte(' ')
			line++
		}
		b.WriteString(word)
		line += len(word)
	}
	b.WriteByte('\n')
	return b.String()
}
