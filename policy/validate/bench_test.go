package validate_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/refward/refward/policy"
	"github.com/refward/refward/policy/validate"
)

// sixKilobytes is a managed policy as long as IAM takes them.
func sixKilobytes() []byte {
	var b strings.Builder
	b.WriteString(`{"Version":"2012-10-17","Statement":[`)
	for i := 0; b.Len() < 5600; i++ {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"Sid":"S%d","Effect":"%s","Action":["codecommit:GitPush","codecommit:Get*","codecommit:Merge*","codecommit:CreateCommit"],"Resource":"arn:aws:codecommit:us-east-1:111122223333:team-%d-*","Condition":{"StringLikeIfExists":{"codecommit:References":["refs/heads/main","refs/heads/release/%d.*"]},"Null":{"codecommit:References":"false"}}}`,
			i, []string{"Allow", "Deny"}[i%2], i, i)
	}
	b.WriteString(`]}`)
	return []byte(b.String())
}

func BenchmarkDocument(b *testing.B) {
	text := sixKilobytes()
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		validate.Document(policy.Managed, text, here)
	}
}

// BenchmarkMatrix is the usual short document.
func BenchmarkMatrix(b *testing.B) {
	text := []byte(full(`{<deny>,"Action":[<movers>],<repo>,"Condition":{"StringEqualsIfExists":{<refs>:<main>},"Null":{<refs>:"false"}}}`))
	for b.Loop() {
		validate.Document(policy.Identity, text, here)
	}
}

// TestLongDocuments: documents as long as the parameter may be, made to be slow. The
// bound is far above what they take and far below what a square would.
func TestLongDocuments(t *testing.T) {
	const size = policy.MaxDocument - 1000
	repeat := func(item string, sep string) string {
		return strings.TrimSuffix(strings.Repeat(item+sep, size/(len(item)+len(sep))), sep)
	}
	for name, statement := range map[string]string{
		"wild actions":    `{<allow>,"Action":[` + repeat(`"iam:*a*"`, ",") + `],<all>}`,
		"unknown actions": `{<allow>,"Action":[` + repeat(`"iam:GetUserZ"`, ",") + `],<all>}`,
		"resources":       `{<allow>,<pull>,"Resource":[` + repeat(`"arn:aws:codecommit:*a*"`, ",") + `]}`,
		"values":          `{<allow>,<pull>,<all>,"Condition":{"StringLike":{"aws:username":[` + repeat(`"*a*"`, ",") + `]}}}`,
		"one value":       `{<allow>,<pull>,<all>,"Condition":{"StringLike":{"aws:username":["` + repeat("*a", "") + `","` + "*b" + `"]}}}`,
		"statements":      repeat(`{<allow>,"Action":"*",<all>}`, ","),
		"bad statements":  repeat(`{"Effect":"allow","Action":"*",<all>}`, ","),
		"dollars":         `{<allow>,<pull>,"Resource":"arn:aws:codecommit:a:b:` + repeat("${", "") + `"}`,
		"lines":           repeat("\n", "") + `{<allow>,<pull>,<all>}`,
	} {
		t.Run(name, func(t *testing.T) {
			text := []byte(full(statement))
			start := time.Now()
			findings := validate.Document(policy.Identity, text, here)
			if took := time.Since(start); took > 10*time.Second {
				t.Errorf("%d bytes took %s", len(text), took)
			}
			t.Logf("%d bytes, %d findings in %s", len(text), len(findings), time.Since(start))
		})
	}
}
