package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codecommit"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/refward/refward/internal/person"
)

// refwardHost is "refward serve" of this tree, and one user with a Git credential.
type refwardHost struct {
	dir  string // of this run
	proc *process
	root *person.Person
	user *person.Person
	ends struct{ HTTP, SSH string }
	key  string // the ID of the SSH key
}

func (h *refwardHost) name() string     { return "Refward" }
func (h *refwardHost) server() *process { return h.proc }

// refwardPolicy is the user's: everything but pushes to one branch. The condition is
// the one that CodeCommit's own documentation has.
const refwardPolicy = `{
  "Version": "2012-10-17",
  "Statement": [
    {"Effect": "Allow", "Action": "codecommit:*", "Resource": "*"},
    {
      "Sid": "KeepOffProtected", "Effect": "Deny", "Action": "codecommit:GitPush", "Resource": "*",
      "Condition": {
        "StringEqualsIfExists": {"codecommit:References": ["` + protected + `"]},
        "Null": {"codecommit:References": "false"}
      }
    }
  ]
}`

func (h *refwardHost) start(ctx context.Context) error {
	bin := filepath.Join(h.dir, "refward")
	if err := buildRefward(ctx, bin); err != nil {
		return err
	}
	data := filepath.Join(h.dir, "data")
	const keyID, key = "AKIABENCHBENCHBENCH2", "bench-bench-bench-bench-bench-bench-bnch"
	var err error
	h.proc, err = startProcess("refward", h.dir, filepath.Join(h.dir, "log"),
		[]string{"PATH=" + os.Getenv("PATH"), "REFWARD_ROOT_ACCESS_KEY_ID=" + keyID, "REFWARD_ROOT_SECRET_ACCESS_KEY=" + key},
		bin, "serve", "--data-dir", data, "--listen", "127.0.0.1:0", "--ssh-listen", "127.0.0.1:0")
	if err != nil {
		return err
	}
	if err := h.proc.until(ctx, func() bool {
		b, err := os.ReadFile(filepath.Join(data, "endpoints.json"))
		return err == nil && json.Unmarshal(b, &h.ends) == nil
	}); err != nil {
		return err
	}
	place := person.Place{URL: h.ends.HTTP, Region: "us-east-1"}
	if h.root, err = person.New(place, h.dir, "root", keyID, key); err != nil {
		return err
	}
	if h.user, err = h.root.Hire(ctx, "bench"); err != nil {
		return err
	}
	_, err = h.root.IAM().PutUserPolicy(ctx, &iam.PutUserPolicyInput{
		UserName: &h.user.Name, PolicyName: aws.String("bench"), PolicyDocument: aws.String(refwardPolicy),
	})
	return err
}

// buildRefward builds this tree, with the modules of the product's own go.mod.
func buildRefward(ctx context.Context, bin string) error {
	tree, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", "github.com/refward/refward").Output()
	if err != nil {
		return fmt.Errorf("find the tree (run this in bench/): %w", err)
	}
	build := exec.CommandContext(ctx, "go", "build", "-o", bin, "./cmd/refward")
	build.Dir = strings.TrimSpace(string(tree))
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build refward: %w\n%s", err, out)
	}
	return nil
}

func (h *refwardHost) stop() { h.proc.stop() }

func (h *refwardHost) create(ctx context.Context, repository string) error {
	_, err := h.root.CodeCommit().CreateRepository(ctx, &codecommit.CreateRepositoryInput{RepositoryName: &repository})
	return err
}

func (h *refwardHost) remote(repository string) remote {
	return remote{h.ends.HTTP + "/v1/repos/" + repository, h.user.GitUser, h.user.GitPassword}
}

// tidy: the host maintains itself after a push.
func (h *refwardHost) tidy(context.Context, string) error { return nil }

func (h *refwardHost) protect(context.Context, string) error { return nil } // the policy does

func (h *refwardHost) ssh(ctx context.Context, repository string, k sshKey) (string, error) {
	if h.key == "" {
		out, err := h.root.IAM().UploadSSHPublicKey(ctx, &iam.UploadSSHPublicKeyInput{UserName: &h.user.Name, SSHPublicKeyBody: &k.public})
		if err != nil {
			return "", err
		}
		h.key = aws.ToString(out.SSHPublicKey.SSHPublicKeyId)
	}
	return "ssh://" + h.key + "@" + strings.TrimPrefix(h.ends.SSH, "ssh://") + "/v1/repos/" + repository, nil
}
