package person

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/codecommit"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// Service is the name of CodeCommit where IAM asks what a credential is for.
const Service = "codecommit.amazonaws.com"

// Place is the host that people use.
type Place struct {
	URL    string // "http://127.0.0.1:8417"
	Region string
	Client *http.Client // nil: one that uses no proxy
}

// Person is one user of a host.
type Person struct {
	Place
	Name string
	Home string // HOME of the person's git: an empty folder

	AccessKeyID, SecretAccessKey       string
	SessionToken                       string // of temporary credentials
	GitUser, GitPassword, CredentialID string
}

// New returns a person with an access key and a home below dir.
func New(p Place, dir, name, accessKeyID, secretAccessKey string) (*Person, error) {
	home := filepath.Join(dir, "home-"+name)
	if err := os.MkdirAll(home, 0o700); err != nil {
		return nil, err
	}
	return &Person{Place: p, Name: name, Home: home, AccessKeyID: accessKeyID, SecretAccessKey: secretAccessKey}, nil
}

// Hire makes a user with an access key and a Git credential, as an administrator does,
// and returns the person who has them.
func (p *Person) Hire(ctx context.Context, name string) (*Person, error) {
	client := p.IAM()
	if _, err := client.CreateUser(ctx, &iam.CreateUserInput{UserName: &name}); err != nil {
		return nil, fmt.Errorf("create user %s: %w", name, err)
	}
	key, err := client.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: &name})
	if err != nil {
		return nil, fmt.Errorf("create an access key for %s: %w", name, err)
	}
	hired, err := New(p.Place, filepath.Dir(p.Home), name, *key.AccessKey.AccessKeyId, *key.AccessKey.SecretAccessKey)
	if err != nil {
		return nil, err
	}
	cred, err := client.CreateServiceSpecificCredential(ctx, &iam.CreateServiceSpecificCredentialInput{
		UserName: &name, ServiceName: aws.String(Service),
	})
	if err != nil {
		return nil, fmt.Errorf("create a Git credential for %s: %w", name, err)
	}
	c := cred.ServiceSpecificCredential
	hired.GitUser, hired.GitPassword, hired.CredentialID =
		aws.ToString(c.ServiceUserName), aws.ToString(c.ServicePassword), aws.ToString(c.ServiceSpecificCredentialId)
	return hired, nil
}

// WithSession returns the same person with temporary credentials, which the person asked
// for.
func (p *Person) WithSession(ctx context.Context) (*Person, error) {
	out, err := p.STS().GetSessionToken(ctx, &sts.GetSessionTokenInput{})
	if err != nil {
		return nil, fmt.Errorf("get a session token: %w", err)
	}
	c, q := out.Credentials, *p
	q.AccessKeyID, q.SecretAccessKey, q.SessionToken = aws.ToString(c.AccessKeyId), aws.ToString(c.SecretAccessKey), aws.ToString(c.SessionToken)
	return &q, nil
}

// IAM returns a client that signs as the person.
func (p *Person) IAM() *iam.Client {
	return iam.New(iam.Options{Region: p.Region, BaseEndpoint: &p.URL, Credentials: p.credentials(), HTTPClient: p.http(), RetryMaxAttempts: 1})
}

// STS returns a client that signs as the person.
func (p *Person) STS() *sts.Client {
	return sts.New(sts.Options{Region: p.Region, BaseEndpoint: &p.URL, Credentials: p.credentials(), HTTPClient: p.http(), RetryMaxAttempts: 1})
}

// CodeCommit returns a client that signs as the person.
func (p *Person) CodeCommit() *codecommit.Client {
	return codecommit.New(codecommit.Options{Region: p.Region, BaseEndpoint: &p.URL, Credentials: p.credentials(), HTTPClient: p.http(), RetryMaxAttempts: 1})
}

func (p *Person) credentials() aws.CredentialsProvider {
	return credentials.NewStaticCredentialsProvider(p.AccessKeyID, p.SecretAccessKey, p.SessionToken)
}

// shared is used by everybody: one pool of connections, none through a proxy.
var shared = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64, IdleConnTimeout: 30 * time.Second}}

func (p *Person) http() *http.Client {
	if p.Client != nil {
		return p.Client
	}
	return shared
}
