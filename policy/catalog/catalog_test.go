package catalog_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/codecommit"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/refward/refward/policy/catalog"
)

// operations are the methods of an SDK client that are API operations.
func operations(client any) []string {
	var out []string
	t := reflect.TypeOf(client)
	for m := range t.Methods() {
		if m.Name != "Options" && m.Type.NumOut() == 2 {
			out = append(out, m.Name)
		}
	}
	return out
}

func TestEveryOperationIsAnAction(t *testing.T) {
	for service, client := range map[string]any{
		"codecommit": &codecommit.Client{}, "iam": &iam.Client{}, "sts": &sts.Client{},
	} {
		ops := operations(client)
		if len(ops) < 10 {
			t.Fatalf("%s: found only %d operations", service, len(ops))
		}
		for _, name := range ops {
			a, ok := catalog.Lookup(service + ":" + name)
			if !ok {
				t.Errorf("%s:%s is not in the table", service, name)
			} else if a.PermissionOnly {
				t.Errorf("%s is an operation and marked as permission only", a.Name)
			}
		}
		for _, a := range catalog.Actions(service) {
			if name := strings.TrimPrefix(a.Name, service+":"); !a.PermissionOnly && !slices.Contains(ops, name) {
				t.Errorf("%s is no operation and not marked as permission only", a.Name)
			}
		}
	}
}

// Service Authorization Reference, "Actions, resources, and condition keys for AWS
// CodeCommit": 79 operations and 11 permissions, and one that has become an operation.
func TestCodeCommit(t *testing.T) {
	all := catalog.Actions("codecommit")
	if len(all) != 91 {
		t.Errorf("%d actions, want 91", len(all))
	}
	if !slices.IsSortedFunc(all, func(a, b catalog.Action) int { return strings.Compare(a.Name, b.Name) }) {
		t.Error("the actions are not sorted")
	}
	permissions, references := 0, 0
	for _, a := range all {
		if a.PermissionOnly {
			permissions++
		}
		if slices.Contains(a.Keys, "codecommit:References") {
			references++
		}
		if len(a.Resources) > 0 && !slices.Contains(a.Keys, "aws:ResourceTag/${TagKey}") {
			t.Errorf("%s acts on a repository and does not carry its tags", a.Name)
		}
	}
	if permissions != 11 || references != 14 {
		t.Errorf("%d permissions and %d actions with References, want 11 and 14", permissions, references)
	}
}

func TestLookup(t *testing.T) {
	a, ok := catalog.Lookup("CODECOMMIT:gitpush")
	if !ok || a.Name != "codecommit:GitPush" || a.Access != catalog.Write || a.Service() != "codecommit" {
		t.Errorf("Lookup(CODECOMMIT:gitpush) = %+v, %v", a, ok)
	}
	if _, ok := catalog.Lookup("codecommit:GitShove"); ok {
		t.Error("an action that does not exist was found")
	}
	for name, want := range map[string]catalog.Access{
		"codecommit:ListBranches": catalog.List, "codecommit:GitPull": catalog.Read, "codecommit:TagResource": catalog.Tagging,
		"iam:PutGroupPolicy": catalog.PermissionsManagement, "iam:CreateUser": catalog.Write, "sts:TagSession": catalog.Tagging,
	} {
		a, ok := catalog.Lookup(name)
		if !ok || a.Access != want || a.Access.Reads() != (want == catalog.List || want == catalog.Read) {
			t.Errorf("%s: access %v, want %v", name, a.Access, want)
		}
	}
}

func TestKeysAreKnown(t *testing.T) {
	for _, service := range catalog.Services() {
		for _, a := range catalog.Actions(service) {
			for _, k := range a.Keys {
				if _, ok := catalog.Key(k); !ok {
					t.Errorf("%s carries %s, which is not in the table of keys", a.Name, k)
				}
			}
			for _, r := range a.Resources {
				known := slices.ContainsFunc(catalog.ResourceTypes(service), func(t catalog.ResourceType) bool { return t.Name == r })
				if !known {
					t.Errorf("%s acts on %s, which is not in the table of resource types", a.Name, r)
				}
			}
		}
	}
}

func TestKey(t *testing.T) {
	for _, tc := range []struct{ ask, name, typ string }{
		{"codecommit:references", "codecommit:References", "String"},
		{"AWS:requesttag/Team", "aws:RequestTag/${TagKey}", "String"},
		{"aws:RequestTag/${TagKey}", "aws:RequestTag/${TagKey}", "String"},
		{"aws:TagKeys", "aws:TagKeys", "ArrayOfString"},
		{"aws:SourceIp", "aws:SourceIp", "IPAddress"},
		{"sts:TransitiveTagKeys", "sts:TransitiveTagKeys", "ArrayOfString"},
		{"refward:ChangedPaths", "refward:ChangedPaths", "ArrayOfString"},
	} {
		k, ok := catalog.Key(tc.ask)
		if !ok || k.Name != tc.name || k.TypeName() != tc.typ {
			t.Errorf("Key(%s) = %+v, %v; want %s of type %s", tc.ask, k, ok, tc.name, tc.typ)
		}
		if k.Extension != strings.HasPrefix(k.Name, "refward:") || k.Global != strings.HasPrefix(k.Name, "aws:") {
			t.Errorf("%s: extension %v, global %v", k.Name, k.Extension, k.Global)
		}
	}
	for _, name := range []string{"aws:RequestTag", "aws:RequestTag/", "codecommit:Reference", ""} {
		if k, ok := catalog.Key(name); ok {
			t.Errorf("Key(%q) found %s", name, k.Name)
		}
	}
}

// CodeCommit User Guide, "Limit pushes and merges to branches in AWS CodeCommit": a push
// is decided before a ref is known, and then for every ref.
func TestPhasesOfAPush(t *testing.T) {
	push, _ := catalog.Lookup("codecommit:GitPush")
	if len(push.Phases) != 2 || push.Phases[0].Name != catalog.Advertisement || push.Phases[1].Name != catalog.Command {
		t.Fatalf("phases %+v", push.Phases)
	}
	first, _ := push.Phase(catalog.Advertisement)
	if want := []string{"aws:ResourceTag/${TagKey}"}; !slices.Equal(first.Keys, want) {
		t.Errorf("the first contact carries %v, want %v", first.Keys, want)
	}
	each, _ := push.Phase(catalog.Command)
	if !slices.Equal(each.Keys, push.Keys) || len(each.Lacks) != 0 {
		t.Errorf("a ref of the push carries %v without %v, want %v", each.Keys, each.Lacks, push.Keys)
	}
	if _, ok := push.Phase(""); ok {
		t.Error("a push has a phase without a name")
	}
}

// Every key of an action is carried at one of its phases at least, and each phase says
// of all of them whether it carries them. Only a push has more than one.
func TestPhases(t *testing.T) {
	for _, service := range catalog.Services() {
		for _, a := range catalog.Actions(service) {
			var carried []string
			for _, p := range a.Phases {
				carried = append(carried, p.Keys...)
				all := slices.Concat(p.Keys, p.Lacks)
				slices.Sort(all)
				if !slices.Equal(all, a.Keys) || !slices.IsSorted(p.Lacks) {
					t.Errorf("%s %s: carries %v and lacks %v of %v", a.Name, p.Name, p.Keys, p.Lacks, a.Keys)
				}
				if several := len(a.Phases) > 1; (p.Name != "") != several || (p.When != "") != several {
					t.Errorf("%s: %d phases, one of them %q, %q", a.Name, len(a.Phases), p.Name, p.When)
				}
			}
			slices.Sort(carried)
			if !slices.Equal(slices.Compact(carried), a.Keys) {
				t.Errorf("%s: its phases carry %v of %v", a.Name, carried, a.Keys)
			}
			if several := a.Name == "codecommit:GitPush"; (len(a.Phases) > 1) != several {
				t.Errorf("%s has %d phases", a.Name, len(a.Phases))
			}
		}
	}
}
