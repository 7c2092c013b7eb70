package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/refward/refward/internal/person"
	"github.com/refward/refward/internal/secret"
)

// pathVariable names the PATH of the host, where it is set: the host serves with the
// machine's git, and not with the one that the tests build and put in front of it.
const pathVariable = "GITSUITE_HOST_PATH"

// userName is who the tests are on the host.
const userName = "git-tests"

// everything is the user's policy.
const everything = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"codecommit:*","Resource":"*"}}`

// host is "refward serve", and the user that the tests use it as.
type host struct {
	url   string
	user  *person.Person
	cmd   *exec.Cmd
	ended chan error
}

// startHost runs the refward beside this binary on free ports, and hires the user.
func startHost(ctx context.Context, dir string, log io.Writer) (_ *host, err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	path := os.Getenv(pathVariable)
	if path == "" {
		path = os.Getenv("PATH")
	}
	data := filepath.Join(dir, "data")
	keyID, key := secret.NewID(secret.AccessKey), secret.NewAccessKeySecret().Reveal()
	cmd := exec.Command(filepath.Join(filepath.Dir(self), "refward"), "serve", "--data-dir", data, "--listen", "127.0.0.1:0", "--ssh-listen", "127.0.0.1:0")
	cmd.Env = []string{"PATH=" + path, "REFWARD_ROOT_ACCESS_KEY_ID=" + keyID, "REFWARD_ROOT_SECRET_ACCESS_KEY=" + key}
	cmd.Stdout, cmd.Stderr = log, log
	if err := errors.Join(os.MkdirAll(dir, 0o700), cmd.Start()); err != nil {
		return nil, err
	}
	h := &host{cmd: cmd, ended: make(chan error, 1)}
	go func() { h.ended <- cmd.Wait() }()
	defer func() {
		if err != nil {
			_ = h.stop()
		}
	}()
	if h.url, err = h.endpoint(ctx, filepath.Join(data, "endpoints.json")); err != nil {
		return nil, err
	}
	root, err := person.New(person.Place{URL: h.url, Region: "us-east-1"}, dir, "root", keyID, key)
	if err != nil {
		return nil, err
	}
	if h.user, err = root.Hire(ctx, userName); err != nil {
		return nil, err
	}
	name, policy := userName, everything
	_, err = root.IAM().PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: &name, PolicyName: &name, PolicyDocument: &policy})
	return h, err
}

// endpoint waits until the host says where it is.
func (h *host) endpoint(ctx context.Context, file string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	var ends struct{ HTTP string }
	err := until(ctx, "the host answers", func() (bool, error) {
		select {
		case err := <-h.ended:
			h.ended <- err
			return false, fmt.Errorf("the host ended: %w", err)
		default:
		}
		b, err := os.ReadFile(file)
		if errors.Is(err, fs.ErrNotExist) {
			return false, nil
		}
		return true, errors.Join(err, json.Unmarshal(b, &ends))
	})
	return ends.HTTP, err
}

// stop ends the host as an operator does, and waits for it.
func (h *host) stop() error {
	if err := h.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return <-h.ended
}
