package policycmd

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	everything = `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}`
	trustsAnn  = `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:user/ann"}, "Action": "sts:AssumeRole"}}`
)

// write makes files and goes where they are.
func write(t *testing.T, files map[string]string) {
	t.Helper()
	t.Chdir(t.TempDir())
	for name, text := range files {
		if err := os.WriteFile(name, []byte(text), 0o640); err != nil {
			t.Fatal(err)
		}
	}
}

// run runs "refward policy" in this process.
func run(t *testing.T, in string, args ...string) (status int, out, errs string) {
	t.Helper()
	var o, e bytes.Buffer
	status = Run(t.Context(), Streams{In: strings.NewReader(in), Out: &o, Err: &e}, args)
	return status, o.String(), e.String()
}

// The exit status says yes, no, or trouble, and trouble is said on standard error only.
func TestStatus(t *testing.T) {
	write(t, map[string]string{
		"all.json": everything, "bad.json": `{"Statement": []}`, "trust.json": trustsAnn, "ctx.json": `{"a:b": null}`,
		"open.json": `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "GitPull", "Resource": "*"}}`,
		"long.json": strings.Repeat(" ", maxFile+1), "-x.json": everything,
	})
	ask := "--action codecommit:GitPull --resource * "
	for _, tc := range []struct {
		args, in string
		status   int
		said     string // on the stream that the status is for
	}{
		{"", "", statusTrouble, "Usage: refward policy COMMAND"},
		{"--help", "", statusYes, "  decide "},
		{"help fmt", "", statusYes, "Usage: refward policy fmt"},
		{"decide -h", "", statusYes, "Usage: refward policy decide"},
		{"prove", "", statusTrouble, `unknown command "prove"`},

		{"explain " + ask + "all.json", "", statusYes, "allow: "},
		{"explain " + ask + "-", everything, statusYes, "<standard input>"},
		{"explain " + ask + "-- -x.json", "", statusYes, "-x.json"},
		{"explain " + ask + "--boundary trust.json all.json", "", statusTrouble, "trust.json:1:73: "},
		{"explain " + ask + "open.json", "", statusTrouble, "open.json:1:70: "},
		{"explain " + ask + "none.json", "", statusTrouble, "none.json"},
		{"explain " + ask + "long.json", "", statusTrouble, "long.json is longer than 1048576 bytes"},
		{"explain " + ask + "- -", everything, statusTrouble, "can be read once only"},
		{"explain " + ask, "", statusTrouble, "name at least one policy"},
		{"explain --action a:b all.json", "", statusTrouble, "--resource is missing"},
		{"explain --resource * all.json", "", statusTrouble, "--action is missing"},
		{"explain --action codecommit:* --resource * all.json", "", statusTrouble, "not the name of one action"},
		{"explain --action GitPull --resource * all.json", "", statusTrouble, "not the name of one action"},
		{"explain " + ask + "--context x all.json", "", statusTrouble, "--context is KEY=VALUE"},
		{"explain " + ask + "--context-file ctx.json all.json", "", statusTrouble, `ctx.json: the value of "a:b" is null`},
		{"explain " + ask + "--context-file - all.json", `{"a": "b"} x`, statusTrouble, "<standard input>: it is not JSON: byte 12"},
		{"explain " + ask + "--trust trust.json", "", statusTrouble, "--trust needs --principal"},
		{"explain " + ask + "--principal x all.json", "", statusTrouble, "give --trust"},
		{"explain " + ask + "--trust trust.json --principal ann", "", statusTrouble, `"ann" is neither`},
		{"explain " + ask + "--account 5 all.json", "", statusTrouble, "is not 12 digits"},
		{"explain " + ask + "--next-level --scp all.json all.json", "", statusTrouble, "between two --scp"},
		{"explain " + ask + "--scp all.json --next-level all.json", "", statusTrouble, "between two --scp"},
		{"explain " + ask + "--format yaml all.json", "", statusTrouble, "paragraph, line, json"},
		{"explain " + ask + "--frmat json all.json", "", statusTrouble, "unknown flag --frmat\n  next: refward policy explain --help"},

		{"validate all.json", "", statusYes, "ALLOW_EVERYTHING"},
		{"validate --fail-on security-warning all.json", "", statusNo, "ALLOW_EVERYTHING"},
		{"validate --kind trust trust.json", "", statusYes, ""},
		{"validate bad.json", "", statusNo, "ERROR"},
		{"validate --fail-on never bad.json", "", statusYes, "ERROR"},
		{"validate none.json", "", statusTrouble, "none.json"},
		{"validate", "", statusTrouble, "name the files"},
		{"validate --account me all.json", "", statusTrouble, "--account is 12 digits"},
		{"validate --kind user all.json", "", statusTrouble, "identity, managed, boundary"},

		{"fmt bad.json", "", statusTrouble, "bad.json:1:"},
		{"fmt -w", "", statusTrouble, "-w cannot write standard input"},
		{"fmt -d all.json", "", statusNo, "+++ all.json"},
		{"fmt -l all.json", "", statusNo, "all.json\n"},
		{"fmt --kind trust all.json", "", statusTrouble, "Missing required field Principal"},
		{"fmt", trustsAnn, statusYes, `"Principal": {`},

		{"decide now", "{}", statusTrouble, `"now" was given`},
		{"decide", "{}", statusYes, `"invalid"`},
	} {
		status, out, errs := run(t, tc.in, strings.Fields(tc.args)...)
		said, silent := out, errs
		if status == statusTrouble {
			said, silent = errs, out
		}
		if status != tc.status || !strings.Contains(said, tc.said) || silent != "" {
			t.Errorf("policy %s: status %d, want %d with %q\nout: %s\nerr: %s", tc.args, status, tc.status, tc.said, out, errs)
		}
	}
}

// explain in JSON tells the same decision, reasons and trace.
func TestExplainJSON(t *testing.T) {
	write(t, map[string]string{"juniors.json": juniors, "all.json": everything})
	status, out, errs := run(t, "", "explain", "all.json", "juniors.json", "--scp", "all.json", "--format", "json", "--action", "codecommit:GitPush",
		"--resource", "arn:aws:codecommit:us-east-1:111122223333:MyDemoRepo", "--context", "codecommit:References=refs/heads/master")
	var got struct {
		Decision, Line string
		Reasons        []reason
		Trace          []struct {
			Layer    string
			Policies []struct{ Name string }
		}
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil || status != statusNo {
		t.Fatalf("status %d: %v\n%s%s", status, err, out, errs)
	}
	want := reason{Layer: "identity", Policy: 2, Name: "juniors.json", Statement: 2, Sid: "KeepOffMaster"}
	if got.Decision != "explicitDeny" || len(got.Reasons) != 1 || got.Reasons[0] != want ||
		got.Line != `explicit deny: policy juniors.json, statement 2 "KeepOffMaster"` {
		t.Errorf("%+v", got)
	}
	if len(got.Trace) != 2 || got.Trace[0].Layer != "service control policy" || len(got.Trace[1].Policies) != 2 {
		t.Errorf("trace %+v", got.Trace)
	}
}

// -w keeps permissions, follows links, and leaves no other file behind.
func TestFormatWrites(t *testing.T) {
	write(t, map[string]string{"all.json": everything})
	if err := os.Symlink("all.json", "link.json"); err != nil {
		t.Skip("this file system has no symbolic links")
	}
	if status, out, errs := run(t, "", "fmt", "-w", "-l", "link.json"); status != statusNo || out != "link.json\n" || errs != "" {
		t.Fatalf("status %d: %s%s", status, out, errs)
	}
	text, err := os.ReadFile("all.json")
	if err != nil || !strings.HasPrefix(string(text), "{\n  \"Version\"") {
		t.Errorf("%s, %v", text, err)
	}
	info, err := os.Lstat("all.json")
	if err != nil || info.Mode() != 0o640 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if link, err := os.Readlink("link.json"); link != "all.json" {
		t.Errorf("link to %q, %v", link, err)
	}
	if names, _ := filepath.Glob(".*.json.*"); len(names) > 0 {
		t.Errorf("left behind: %v", names)
	}
	if status, out, _ := run(t, "", "fmt", "-d", "-l", "-w", "all.json"); status != statusYes || out != "" {
		t.Errorf("formatted twice: status %d, %s", status, out)
	}
}

func TestFormatLeavesOthers(t *testing.T) {
	write(t, map[string]string{"bad.json": `{"Statement": 5}`})
	if status, _, errs := run(t, "", "fmt", "-w", "bad.json", "none.json"); status != statusTrouble || strings.Count(errs, "\n") != 2 {
		t.Errorf("status %d: %s", status, errs)
	}
	if text, _ := os.ReadFile("bad.json"); string(text) != `{"Statement": 5}` {
		t.Errorf("%s", text)
	}
}
