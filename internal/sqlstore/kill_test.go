package sqlstore

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"github.com/refward/refward/internal/codecommit"
	"github.com/refward/refward/internal/repo"
)

// victimDir names the environment variable that turns this test binary into the process
// that TestKilled kills.
const victimDir = "REFWARD_TEST_VICTIM_DIR"

const victimRepo = repo.ID("11111111-0000-4000-8000-000000000001")

// TestVictim is not a test by itself: it moves a ref and logs a durable decision, over
// and over, and says which ones were acknowledged.
func TestVictim(t *testing.T) {
	dir := os.Getenv(victimDir)
	if dir == "" {
		t.Skip("runs only as the process that TestKilled kills")
	}
	db, err := Open(t.Context(), Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	s := db.CodeCommit()
	withRefs(t, s, victimRepo, 1)
	log := db.OpenDecisions(t.Context(), slog.New(slog.DiscardHandler))
	for n := 1; ; n++ {
		if err := log.Append(t.Context(), logEntry(n, true)); err != nil {
			t.Fatal(err)
		}
		err := s.Update(t.Context(), func(ctx context.Context, tx codecommit.Tx) error {
			gen, err := tx.Advance(ctx, victimRepo, 0, logTime)
			if err != nil {
				return err
			}
			return errors.Join(
				tx.SwapRef(ctx, victimRepo, gen, codecommit.RefMove{Ref: branchNumber(0), Old: numbered(n - 1), New: numbered(n)}),
				tx.InsertPack(ctx, victimRepo, gen, repo.Pack{ID: strconv.Itoa(n), Inline: []byte("P")}))
		})
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(os.Stderr, n)
	}
}

// TestKilled: a process that is killed at any moment has lost nothing that it
// acknowledged, and left nothing half done.
func TestKilled(t *testing.T) {
	for _, acknowledged := range []int{1, 7, 60} {
		t.Run(strconv.Itoa(acknowledged), func(t *testing.T) {
			dir := t.TempDir()
			victim := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestVictim$", "-test.timeout=60s")
			victim.Env = append(os.Environ(), victimDir+"="+dir)
			said, err := victim.StderrPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := victim.Start(); err != nil {
				t.Fatal(err)
			}
			last := 0
			lines := bufio.NewScanner(said)
			for lines.Scan() {
				if last, err = strconv.Atoi(lines.Text()); err != nil {
					t.Errorf("the victim said %q", lines.Text())
				}
				if last == acknowledged {
					if err := victim.Process.Kill(); err != nil {
						t.Fatal(err)
					}
				}
			}
			if err := victim.Wait(); err == nil || last < acknowledged {
				t.Fatalf("the victim ended by itself after %d", last)
			}
			checkVictim(t, dir, last)
		})
	}
}

// checkVictim looks at what is left after the last acknowledged step.
func checkVictim(t *testing.T, dir string, last int) {
	t.Helper()
	db := openAt(t, dir)
	if err := (&Decisions{db: db}).Verify(t.Context(), logAccount); err != nil {
		t.Errorf("verify the decisions: %v", err)
	}
	if n := len(logged(t, db)); n < last || n > last+2 {
		t.Errorf("%d decisions are left of %d", n, last)
	}
	err := db.CodeCommit().View(t.Context(), func(ctx context.Context, tx codecommit.Reader) error {
		r, err := tx.RepositoryByID(ctx, victimRepo)
		packs, err2 := tx.Packs(ctx, victimRepo)
		ref, err3 := tx.Ref(ctx, victimRepo, branchNumber(0))
		done := int(r.Gen) - 1 // the first generation made the ref
		if done < last || done > last+1 || len(packs) != done || ref.OID != numbered(done) {
			t.Errorf("%d steps were acknowledged; left are generation %d, %d packs, and the ref at %s", last, r.Gen, len(packs), ref.OID)
		}
		return errors.Join(err, err2, err3)
	})
	if err != nil {
		t.Fatal(err)
	}
}
