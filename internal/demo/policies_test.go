package demo_test

import (
	"os"
	"strings"
	"testing"

	"github.com/refward/refward/internal/demo"
	"github.com/refward/refward/internal/person"
)

// The story by hand and the story that is played have the same two policies.
func TestPoliciesOfTheDocument(t *testing.T) {
	const file = "../../docs/story.md"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	place := person.Place{Region: "us-east-1"}
	for name, document := range map[string]string{
		demo.Juniors:   demo.JuniorsPolicy(place, "111122223333"),
		demo.Approvers: demo.ApproversPolicy(place, "111122223333"),
	} {
		if !strings.Contains(string(text), "<<'JSON'\n"+document+"JSON\n") {
			t.Errorf("%s does not have the policy of %s as it is played:\n%s", file, name, document)
		}
	}
}
