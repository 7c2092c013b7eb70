package awsapi

import (
	"bufio"
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codecommit"
	cctypes "github.com/aws/aws-sdk-go-v2/service/codecommit/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"golang.org/x/tools/txtar"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/fault"
	"github.com/refward/refward/internal/op"
)

var update = flag.Bool("update", false, "write what the handler answers into testdata/wire")

// TestWire replays testdata/wire: each file is a request as it stands on the wire (its
// lines end as text files do; the last one's end is not part of the body) and the
// answer to it, byte for byte. Its name begins with the service.
func TestWire(t *testing.T) {
	files, err := filepath.Glob("testdata/wire/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("got %d files, %v", len(files), err)
	}
	h := newHandler(t, append(someOperations(), wireOperations()...)...)
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			service, _, _ := strings.Cut(filepath.Base(file), "-")
			got := transcript(t, h, service, archive.Files[0].Data)
			if *update {
				archive.Files = append(archive.Files[:1], txtar.File{Name: "answer", Data: got})
				if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if want := archive.Files[1].Data; !bytes.Equal(got, want) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// transcript returns the answer to a request, its headers sorted.
func transcript(t *testing.T, h *Handler, service string, request []byte) []byte {
	head, body, _ := strings.Cut(string(request), "\n\n")
	body = strings.TrimSuffix(body, "\n")
	raw := strings.ReplaceAll(strings.TrimSuffix(head, "\n"), "\n", "\r\n") + fmt.Sprintf("\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(raw)))
	if err != nil {
		t.Fatal(err)
	}
	answer := call(h, service, r).Result()
	var b bytes.Buffer
	fmt.Fprintf(&b, "%d %s\n", answer.StatusCode, http.StatusText(answer.StatusCode))
	for _, k := range slices.Sorted(maps.Keys(answer.Header)) {
		fmt.Fprintf(&b, "%s: %s\n", k, answer.Header.Get(k))
	}
	b.WriteByte('\n')
	if _, err := io.Copy(&b, answer.Body); err != nil {
		t.Fatal(err)
	}
	b.WriteByte('\n')
	return b.Bytes()
}

// wireOperations returns more operations with fixed answers, for the transcripts.
func wireOperations() []op.Any {
	return []op.Any{
		does("codecommit", "GetRepository", func(_ context.Context, _ authz.Caller, in *codecommit.GetRepositoryInput) (*codecommit.GetRepositoryOutput, error) {
			return &codecommit.GetRepositoryOutput{RepositoryMetadata: &cctypes.RepositoryMetadata{
				AccountId: aws.String("123456789012"), Arn: aws.String("arn:aws:codecommit:us-east-1:123456789012:payments"),
				CloneUrlHttp: aws.String("http://127.0.0.1:8417/v1/repos/payments"), CreationDate: aws.Time(millis(1_484_167_798_000)),
				LastModifiedDate: aws.Time(millis(1_484_167_798_123)), RepositoryName: in.RepositoryName, RepositoryDescription: aws.String("naïve \"<&>\"\n\x7f\xff"),
			}}, nil
		}),
		does("codecommit", "PutFile", func(_ context.Context, _ authz.Caller, in *codecommit.PutFileInput) (*codecommit.PutFileOutput, error) {
			return &codecommit.PutFileOutput{BlobId: aws.String(string(in.FileContent)), CommitId: aws.String("c"), TreeId: aws.String("t")}, nil
		}),
		does("codecommit", "ListTagsForResource", func(context.Context, authz.Caller, *codecommit.ListTagsForResourceInput) (*codecommit.ListTagsForResourceOutput, error) {
			return &codecommit.ListTagsForResourceOutput{Tags: map[string]string{}}, nil
		}),
		does("iam", "ListGroups", func(_ context.Context, _ authz.Caller, in *iam.ListGroupsInput) (*iam.ListGroupsOutput, error) {
			return &iam.ListGroupsOutput{Groups: []iamtypes.Group{}, IsTruncated: true, Marker: aws.String(fmt.Sprint("after ", *in.MaxItems))}, nil
		}),
		does("iam", "CreateUser", func(context.Context, authz.Caller, *iam.CreateUserInput) (*iam.CreateUserOutput, error) {
			return nil, fault.Code{Name: "EntityAlreadyExists", Kind: fault.Conflict}.New("User with name %s already exists.", "dev")
		}),
		does("iam", "PutGroupPolicy", func(context.Context, authz.Caller, *iam.PutGroupPolicyInput) (*iam.PutGroupPolicyOutput, error) {
			return nil, fault.Code{Name: "MalformedPolicyDocument", Kind: fault.Invalid}.New("Syntax errors in policy: \"\x01\".")
		}),
		does("iam", "DeleteGroup", func(context.Context, authz.Caller, *iam.DeleteGroupInput) (*iam.DeleteGroupOutput, error) {
			return nil, fault.ServiceUnavailable.New("The host is draining")
		}),
		does("sts", "GetCallerIdentity", func(context.Context, authz.Caller, *sts.GetCallerIdentityInput) (*sts.GetCallerIdentityOutput, error) {
			return callerIdentity(), nil
		}),
	}
}

func callerIdentity() *sts.GetCallerIdentityOutput {
	return &sts.GetCallerIdentityOutput{
		Account: aws.String("123456789012"), Arn: aws.String("arn:aws:iam::123456789012:user/dev"), UserId: aws.String("AIDACKCEVSQ6C2EXAMPLE"),
	}
}
