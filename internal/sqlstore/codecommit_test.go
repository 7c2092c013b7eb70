package sqlstore

import (
	"testing"

	"github.com/refward/refward/internal/codecommit/codecommittest"
)

func TestCodeCommit(t *testing.T) {
	codecommittest.TestStore(t, func(t *testing.T) codecommittest.Host {
		return codecommitHost(t, t.TempDir())
	})
}

func codecommitHost(t *testing.T, dir string) codecommittest.Host {
	db := openAt(t, dir)
	return codecommittest.Host{
		Store: db.CodeCommit(),
		Packs: db.Packs(),
		Reopen: func(t *testing.T) codecommittest.Host {
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			return codecommitHost(t, dir)
		},
	}
}
