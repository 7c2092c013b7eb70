package main

import (
	"strings"

	minio "github.com/minio/pkg/v3/policy"
)

// MinIO knows actions of S3 only, and no StringEqualsIfExists: the same policy with
// other names, and the ref in a key that it has.
const storyMinio = `{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "Work",
      "Effect": "Allow",
      "Action": ["s3:DeleteObject", "s3:PutObject", "s3:PutObjectTagging", "s3:PutObjectRetention", "s3:Get*", "s3:List*"],
      "Resource": "arn:aws:s3:::payments/*"
    },
    {
      "Sid": "KeepOffMaster",
      "Effect": "Deny",
      "Action": [
        "s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion",
        "s3:PutObjectTagging", "s3:PutObjectVersionTagging", "s3:PutObjectRetention",
        "s3:PutObjectLegalHold", "s3:AbortMultipartUpload", "s3:BypassGovernanceRetention"
      ],
      "Resource": "arn:aws:s3:::payments/*",
      "Condition": {
        "StringEquals": {"aws:Referer": ["refs/heads/master"]},
        "Null": {"aws:Referer": false}
      }
    }
  ]
}`

type minioPolicy struct {
	policy *minio.Policy
	args   map[string]minio.Args
}

func newMinio() *minioPolicy {
	return &minioPolicy{args: map[string]minio.Args{closedRef: minioArgs(closedRef), openRef: minioArgs(openRef)}}
}

func minioArgs(ref string) minio.Args {
	values := make(map[string][]string, len(keys)+1)
	for _, kv := range keys {
		values[strings.TrimPrefix(kv[0], "aws:")] = []string{kv[1]}
	}
	values["Referer"] = []string{ref}
	return minio.Args{
		AccountName: "juniordev", Action: minio.PutObjectAction, BucketName: "payments", ObjectName: "app",
		ConditionValues: values,
	}
}

func (m *minioPolicy) name() string { return "MinIO pkg/v3/policy" }

func (m *minioPolicy) read() error {
	var err error
	m.policy, err = minio.ParseConfig(strings.NewReader(storyMinio))
	return err
}

func (m *minioPolicy) decide(ref string) bool { return m.policy.IsAllowed(m.args[ref]) }

func (m *minioPolicy) ask(ref string) bool { return m.policy.IsAllowed(minioArgs(ref)) }
