package sqlstore

import (
	"testing"

	"github.com/refward/refward/internal/iam"
	"github.com/refward/refward/internal/iam/iamtest"
)

func TestIAM(t *testing.T) {
	iamtest.TestStore(t, func(t *testing.T) iamtest.Host {
		dir := t.TempDir()
		db := openAt(t, dir)
		return iamtest.Host{
			Store: db.IAM(),
			Reopen: func(t *testing.T) iam.Store {
				if err := db.Close(); err != nil {
					t.Fatal(err)
				}
				return openAt(t, dir).IAM()
			},
		}
	})
}
