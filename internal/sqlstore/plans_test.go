package sqlstore

import (
	"context"
	"strconv"
	"strings"
	"testing"
)

// TestPlans: what runs often must find its rows by an index, also in a database without
// statistics, which is what most are.
func TestPlans(t *testing.T) {
	db := openTest(t)
	for query, want := range map[string]string{
		selectRefs:      "PRIMARY KEY (repo_id=?)",
		selectRefsSince: "ref_gen (repo_id=? AND gen>?)",
		selectConflict:  "PRIMARY KEY (repo_id=? AND name>? AND name<?)",
		selectPacks:     "sqlite_autoindex_pack_1 (repo_id=?)",
		selectCrowded:   "sqlite_autoindex_pack_1 (repo_id>?)",
		selectDeadPacks: "pack_dead (dead_at>? AND dead_at<?)",
		selectHistory:   "ref_event_ref (repo_id=?)",
		selectRefEvents: "ref_event_ref (repo_id=? AND ref=?)",

		repositoriesByName:        "repository_name (account_id=? AND name>?)",
		repositoriesByNameDown:    "repository_name (account_id=? AND name<?)",
		repositoriesByChange:      "repository_modified (account_id=? AND (modified,name)>(?,?))",
		repositoriesByChangeDown:  "repository_modified (account_id=? AND (modified,name)<(?,?))",
		pullRequestsAll:           "pull_request_repo (repo_id=? AND pr_id<?)",
		pullRequestsOfStatus:      "pull_request_status (repo_id=? AND closed=? AND pr_id<?)",
		pullRequestsOfAuthor:      "pull_request_author (repo_id=? AND author_arn=? AND pr_id<?)",
		selectOpenPullRequestsOn:  "pull_request_source (repo_id=? AND source=?)",
		countOpenPullRequests:     "pull_request_",
		pullRequestsOfAuthorState: "pull_request_",

		selectLFSObject:  "lfs_object USING PRIMARY KEY (repo_id=? AND oid=?)",
		selectLFSBlob:    "lfs_object USING PRIMARY KEY (repo_id=? AND oid=?)",
		selectLFSObjects: "lfs_object USING PRIMARY KEY (repo_id=? AND oid>?)",
		selectLFSLocks:   "lfs_lock USING PRIMARY KEY (repo_id=? AND path>?)",
		selectLFSLockOn:  "lfs_lock USING PRIMARY KEY (repo_id=? AND path=?)",
		selectLFSLock:    "lfs_lock_id (repo_id=? AND lock_id=?)",
		countLFSLocks:    "lfs_lock",

		selectDeadLFSBlob: "lfs_garbage USING PRIMARY KEY (blob=?)",

		decisionsByTime:      "decision_time (account_id=? AND at>? AND (at,seq)<(?,?))",
		decisionsByPrincipal: "decision_principal (account_id=? AND principal=? AND at>?",
		decisionsByAction:    "decision_action (account_id=? AND action=? AND at>?",
		decisionsByOutcome:   "decision_outcome (account_id=? AND outcome=? AND at>?",
	} {
		plan := explain(t, db, query)
		if !strings.Contains(plan, want) || strings.Contains(plan, "SCAN ") || strings.Contains(plan, "TEMP B-TREE") {
			t.Errorf("%s\nis planned as\n%s\nnot by %s", query, plan, want)
		}
	}
}

func explain(t *testing.T, db *DB, query string) string {
	t.Helper()
	count := 0
	for _, m := range parameter.FindAllStringSubmatch(query, -1) {
		n, err := strconv.Atoi(m[1])
		if err != nil {
			t.Fatal(err)
		}
		count = max(count, n)
	}
	var steps []string
	err := db.view(t.Context(), func(ctx context.Context, q querier) error {
		return q.each(ctx, "EXPLAIN QUERY PLAN "+query, make([]any, count), func(scan func(...any) error) error {
			var id, parent, unused int
			var detail string
			err := scan(&id, &parent, &unused, &detail)
			steps = append(steps, detail)
			return err
		})
	})
	if err != nil {
		t.Fatalf("explain %s: %v", query, err)
	}
	return strings.Join(steps, "\n")
}
