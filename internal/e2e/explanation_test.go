package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/refward/refward/internal/demo"
	"github.com/refward/refward/internal/hosttest"
)

// A refusal by the story's policy, and what differs between those who tell it: the name
// of the policy, and whose it is.
const (
	sentence = `explicit deny: policy POLICY, statement 2 "MayNotChangeMaster"`
	attached = "Juniors of group Juniors" // as the group has it
	given    = "PolicyInputList.1"        // as SimulateCustomPolicy names a document
	fileName = "juniors.json"             // as refward policy explain does: the file
)

// explanation is the sentence about the policy of that name.
func explanation(name string) string { return strings.Replace(sentence, "POLICY", name, 1) }

// TestOneExplanation: a denied push, a denied call of the API, both simulations and the
// command for files give one explanation of one refusal. Word for word it is the same of
// a push, a call and simulate-principal-policy; of a document that no one has attached,
// simulate-custom-policy and refward policy explain tell another name, and no owner.
// Around it a push has "REF: ", the call AWS's sentence before and the permitted way
// after, and a simulation the decision as the entry's value.
func TestOneExplanation(t *testing.T) {
	hosttest.Need(t, "aws")
	h := hosttest.Start(t)
	junior, senior, url := h.Story(t)
	dir := h.Clone(t, senior, url)
	hosttest.Commit(t, senior, dir, "README.md", "# MyDemoRepo\n")
	hosttest.Git(t, senior, dir, "push", "-q", "origin", "HEAD:"+master)
	document := demo.JuniorsPolicy(h.Place, h.Account)
	file := filepath.Join(h.Dir, fileName)
	if err := os.WriteFile(file, []byte(document), 0o600); err != nil {
		t.Fatal(err)
	}
	root := newShell(t, h.Place, h.Root.AccessKeyID, h.Root.SecretAccessKey)
	juniorSh := newShell(t, h.Place, junior.AccessKeyID, junior.SecretAccessKey)

	dir = h.Clone(t, junior, url)
	hosttest.Commit(t, junior, dir, "direct.txt", "direct\n")
	out := hosttest.GitFails(t, junior, dir, "push", "origin", "HEAD:"+master)
	if line := "remote: " + master + ": " + explanation(attached); !slices.Contains(trimmed(out), line) {
		t.Errorf("git push: no line %q in\n%s", line, out)
	}

	resource := "arn:aws:codecommit:" + h.Region + ":" + h.Account + ":" + demo.Repository
	for action, call := range map[string][]string{
		"PutFile": {"put-file", "--repository-name", demo.Repository, "--branch-name", "master", "--file-path", "a",
			"--file-content", "fileb://" + file, "--parent-commit-id", hosttest.Refs(t, senior, url)[master]},
		"DeleteBranch": {"delete-branch", "--repository-name", demo.Repository, "--branch-name", "master"},
	} {
		errs := juniorSh.fails("AccessDeniedException", nil, append([]string{"codecommit"}, call...)...)
		text := "User: arn:aws:iam::" + h.Account + ":user/" + demo.Junior + " is not authorized to perform: codecommit:" + action +
			" on resource: " + resource + " with an explicit deny in an identity-based policy. " + explanation(attached) + ". "
		if !strings.Contains(errs, text) {
			t.Errorf("%s: no %q in\n%s", action, text, errs)
		}
	}

	question := []string{"--action-names", "codecommit:GitPush", "codecommit:PutFile", "codecommit:DeleteBranch", "--resource-arns", resource,
		"--context-entries", "ContextKeyName=codecommit:References,ContextKeyType=string,ContextKeyValues=" + master}
	asked := root.does(append([]string{"iam", "simulate-principal-policy",
		"--policy-source-arn", "arn:aws:iam::" + h.Account + ":user/" + demo.Junior}, question...)...)
	saysOf(t, "simulate-principal-policy", asked, explanation(attached))
	// The document is an argument by itself, as "$(cat juniors.json)" makes it: of a
	// list, file:// would have to hold JSON of a list.
	asked = root.does(append([]string{"iam", "simulate-custom-policy", "--policy-input-list", document}, question...)...)
	saysOf(t, "simulate-custom-policy", asked, explanation(given))

	for action := range strings.FieldsSeq("codecommit:GitPush codecommit:PutFile codecommit:DeleteBranch") {
		line := explains(t, file, action, resource)
		if line != explanation(fileName) {
			t.Errorf("policy explain of %s: %q, want %q", action, line, explanation(fileName))
		}
	}
}

// trimmed is the lines of a text, without blanks at their ends.
func trimmed(text string) []string {
	var all []string
	for line := range strings.Lines(text) {
		all = append(all, strings.TrimSpace(line))
	}
	return all
}

// saysOf wants three answers of a simulation, all of them an explicit deny with the line.
func saysOf(t *testing.T, command, answer, line string) {
	t.Helper()
	var out struct {
		EvaluationResults []struct {
			EvalActionName, EvalDecision string
			EvalDecisionDetails          map[string]string
			ResourceSpecificResults      []struct{ EvalDecisionDetails map[string]string }
		}
	}
	if err := json.Unmarshal([]byte(answer), &out); err != nil {
		t.Fatalf("%s: %v\n%s", command, err, answer)
	}
	if len(out.EvaluationResults) != 3 {
		t.Fatalf("%s: %d answers to 3 questions:\n%s", command, len(out.EvaluationResults), answer)
	}
	want := map[string]string{line: "explicitDeny"}
	for _, r := range out.EvaluationResults {
		if r.EvalDecision != "explicitDeny" || !maps.Equal(r.EvalDecisionDetails, want) {
			t.Errorf("%s: of %s it says %s, %v; want %v", command, r.EvalActionName, r.EvalDecision, r.EvalDecisionDetails, want)
		}
		if len(r.ResourceSpecificResults) != 1 || !maps.Equal(r.ResourceSpecificResults[0].EvalDecisionDetails, want) {
			t.Errorf("%s: of %s and the repository it says %v; want %v", command, r.EvalActionName, r.ResourceSpecificResults, want)
		}
	}
}

// explains runs refward policy explain on the file, which has to end in a deny, and
// returns the line that it prints.
func explains(t *testing.T, file, action, resource string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, hosttest.Binary(t), "policy", "explain", "--format", "line",
		"--action", action, "--resource", resource, "--context", "codecommit:References="+master, filepath.Base(file))
	cmd.Dir = filepath.Dir(file)
	out, err := cmd.Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != 1 {
		t.Errorf("policy explain of a deny: %v, want exit status 1", err)
	}
	return strings.TrimSpace(string(out))
}
