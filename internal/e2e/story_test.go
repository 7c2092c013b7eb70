package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/refward/refward/internal/demo"
	"github.com/refward/refward/internal/hosttest"
	"github.com/refward/refward/internal/person"
)

// cliStory is the story as typed by people at the aws command and git.
type cliStory struct {
	*testing.T                // of the part that is played
	whole          *testing.T // folders last as long as it
	h              *hosttest.Host
	root           *shell
	juniorSh       *shell
	seniorSh       *shell
	junior, senior *person.Person
	url            string // to clone
	juniorDir      string
	seniorDir      string
	pull           string // the pull request's ID
	juniorsFile    string
}

const master = "refs/heads/master"

// A refused push tells the policy, its statement, and the way that is open.
var refusal = []string{demo.Juniors, "MayNotChangeMaster", "pull request"}

// TestStoryWithCLI plays every step of the story with the unmodified aws command.
func TestStoryWithCLI(t *testing.T) {
	h := hosttest.Start(t)
	s := &cliStory{T: t, whole: t, h: h, root: newShell(t, h.Place, h.Root.AccessKeyID, h.Root.SecretAccessKey)}
	for _, part := range []struct {
		name string
		play func(*cliStory)
	}{
		{"identity", (*cliStory).identity},
		{"users", (*cliStory).users},
		{"credentials", (*cliStory).credentials},
		{"groups", (*cliStory).groups},
		{"policies", (*cliStory).policies},
		{"repository", (*cliStory).repository},
		{"first push", (*cliStory).firstPush},
		{"feature branch", (*cliStory).featureBranch},
		{"refused pushes", (*cliStory).refusedPushes},
		{"pull request", (*cliStory).pullRequest},
		{"put file", (*cliStory).putFile},
		{"clean up", (*cliStory).cleanUp},
		{"the policy decides", (*cliStory).policyDecides},
		{"the credential counts", (*cliStory).credentialCounts},
	} {
		if !t.Run(part.name, func(t *testing.T) {
			s.T, s.root.t = t, t
			if s.juniorSh != nil {
				s.juniorSh.t, s.seniorSh.t = t, t
			}
			part.play(s)
		}) {
			t.FailNow() // what follows stands on it
		}
	}
}

func (s *cliStory) equal(what, got, want string) {
	s.Helper()
	if got != want {
		s.Errorf("%s: got %q, want %q", what, got, want)
	}
}

func (s *cliStory) identity() {
	s.equal("root's ARN", s.root.get("Arn", "sts", "get-caller-identity"), "arn:aws:iam::"+s.h.Account+":root")
	s.equal("root's account", s.root.get("Account", "sts", "get-caller-identity"), s.h.Account)
}

// person makes a user with an access key and a Git credential.
func (s *cliStory) person(name string) (*person.Person, *shell) {
	s.Helper()
	arn := s.root.get("User.Arn", "iam", "create-user", "--user-name", name)
	s.equal("ARN", arn, "arn:aws:iam::"+s.h.Account+":user/"+name)
	out := s.root.does("iam", "create-access-key", "--user-name", name, "--query", "AccessKey.[AccessKeyId,SecretAccessKey]", "--output", "text")
	key := strings.Fields(out)
	if len(key) != 2 {
		s.Fatalf("create-access-key printed %q", out)
	}
	p, err := person.New(s.h.Place, s.h.Dir, name, key[0], key[1])
	if err != nil {
		s.Fatal(err)
	}
	out = s.root.does("iam", "create-service-specific-credential", "--user-name", name, "--service-name", person.Service,
		"--query", "ServiceSpecificCredential.[ServiceUserName,ServicePassword,ServiceSpecificCredentialId]", "--output", "text")
	cred := strings.Fields(out)
	if len(cred) != 3 {
		s.Fatalf("create-service-specific-credential printed %q", out)
	}
	p.GitUser, p.GitPassword, p.CredentialID = cred[0], cred[1], cred[2]
	s.equal("Git user name", p.GitUser, name+"-at-"+s.h.Account)
	sh := newShell(s.whole, s.h.Place, p.AccessKeyID, p.SecretAccessKey)
	sh.t = s.T
	return p, sh
}

func (s *cliStory) users() {
	s.junior, s.juniorSh = s.person(demo.Junior)
	s.senior, s.seniorSh = s.person(demo.Senior)
	s.equal("the first user", s.root.get("Users.0.UserName", "iam", "list-users"), demo.Junior)
	s.root.fails("EntityAlreadyExists", nil, "iam", "create-user", "--user-name", demo.Junior)
	// Whoever has no policy may do nothing, but ask who they are.
	s.equal("the junior's ARN", s.juniorSh.get("Arn", "sts", "get-caller-identity"), "arn:aws:iam::"+s.h.Account+":user/"+demo.Junior)
	s.juniorSh.fails("AccessDenied", []string{"is not authorized to perform: iam:ListUsers"}, "iam", "list-users")
}

func (s *cliStory) credentials() {
	const list = "ServiceSpecificCredentials.0."
	args := []string{"iam", "list-service-specific-credentials", "--user-name", demo.Junior}
	s.equal("listed", s.root.get(list+"ServiceUserName", args...), s.junior.GitUser)
	s.equal("a password in the list", s.root.get(list+"ServicePassword", args...), "")

	second := s.root.get("ServiceSpecificCredential.ServiceSpecificCredentialId",
		"iam", "create-service-specific-credential", "--user-name", demo.Junior, "--service-name", person.Service)
	s.root.fails("LimitExceeded", nil, "iam", "create-service-specific-credential", "--user-name", demo.Junior, "--service-name", person.Service)
	s.root.does("iam", "delete-service-specific-credential", "--user-name", demo.Junior, "--service-specific-credential-id", second)
	s.equal("a second credential after its deletion", s.root.get("ServiceSpecificCredentials.1.ServiceUserName", args...), "")
}

func (s *cliStory) groups() {
	for group, user := range map[string]string{demo.Juniors: demo.Junior, demo.Approvers: demo.Senior} {
		s.equal("ARN", s.root.get("Group.Arn", "iam", "create-group", "--group-name", group), "arn:aws:iam::"+s.h.Account+":group/"+group)
		s.root.does("iam", "add-user-to-group", "--group-name", group, "--user-name", user)
		s.equal("member of "+group, s.root.get("Users.0.UserName", "iam", "get-group", "--group-name", group), user)
	}
	s.root.fails("NoSuchEntity", nil, "iam", "get-group", "--group-name", "Nobody")
}

func (s *cliStory) write(name, text string) string {
	s.Helper()
	path := filepath.Join(s.h.Dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		s.Fatal(err)
	}
	return "file://" + path
}

func (s *cliStory) put(group, file string) {
	s.Helper()
	s.root.does("iam", "put-group-policy", "--group-name", group, "--policy-name", group, "--policy-document", file)
}

func (s *cliStory) policies() {
	juniors := demo.JuniorsPolicy(s.h.Place, s.h.Account)
	s.juniorsFile = s.write("juniors.json", juniors)
	s.put(demo.Juniors, s.juniorsFile)
	s.put(demo.Approvers, s.write("approvers.json", demo.ApproversPolicy(s.h.Place, s.h.Account)))
	s.equal("the policy's name", s.root.get("PolicyNames.0", "iam", "list-group-policies", "--group-name", demo.Juniors), demo.Juniors)
	half := s.write("half.json", juniors[:len(juniors)/2])
	s.root.fails("MalformedPolicyDocument", []string{"line"}, "iam", "put-group-policy", "--group-name", demo.Juniors,
		"--policy-name", "Half", "--policy-document", half)
}

func (s *cliStory) repository() {
	s.url = s.root.get("repositoryMetadata.cloneUrlHttp", "codecommit", "create-repository", "--repository-name", demo.Repository,
		"--repository-description", "The story's repository")
	s.equal("clone URL", s.url, s.h.URL+"/v1/repos/"+demo.Repository)
	s.root.fails("RepositoryNameExistsException", nil, "codecommit", "create-repository", "--repository-name", demo.Repository)
	s.equal("a default branch of an empty repository",
		s.root.get("repositoryMetadata.defaultBranch", "codecommit", "get-repository", "--repository-name", demo.Repository), "")
}

func (s *cliStory) firstPush() {
	s.seniorDir = s.h.Clone(s.whole, s.senior, s.url)
	hosttest.Git(s.T, s.senior, s.seniorDir, "symbolic-ref", "HEAD", master)
	hosttest.Commit(s.T, s.senior, s.seniorDir, "README.md", "# MyDemoRepo\n")
	hosttest.Git(s.T, s.senior, s.seniorDir, "push", "-u", "origin", "master")
	s.equal("default branch",
		s.seniorSh.get("repositoryMetadata.defaultBranch", "codecommit", "get-repository", "--repository-name", demo.Repository), "master")
	s.equal("tip of master", s.tip(), s.head(s.senior, s.seniorDir))
}

func (s *cliStory) tip() string {
	s.Helper()
	return s.root.get("branch.commitId", "codecommit", "get-branch", "--repository-name", demo.Repository, "--branch-name", "master")
}

func (s *cliStory) head(p *person.Person, dir string) string {
	s.Helper()
	return strings.TrimSpace(hosttest.Git(s.T, p, dir, "rev-parse", "HEAD"))
}

func (s *cliStory) featureBranch() {
	s.juniorDir = s.h.Clone(s.whole, s.junior, s.url)
	s.git("checkout", "-q", "-b", demo.Feature)
	hosttest.Commit(s.T, s.junior, s.juniorDir, "feature.txt", "a feature\n")
	s.git("push", "-u", "origin", demo.Feature)
	s.equal("tip of the branch", s.refs()["refs/heads/"+demo.Feature], s.head(s.junior, s.juniorDir))
}

// git runs git as the junior.
func (s *cliStory) git(args ...string) string {
	s.Helper()
	return hosttest.Git(s.T, s.junior, s.juniorDir, args...)
}

func (s *cliStory) refs() map[string]string {
	s.Helper()
	return hosttest.Refs(s.T, s.senior, s.url)
}

// refused pushes as the junior and expects the policy's refusal, and master unchanged.
func (s *cliStory) refused(args ...string) string {
	s.Helper()
	before := s.refs()[master]
	out := hosttest.GitFails(s.T, s.junior, s.juniorDir, append([]string{"push"}, args...)...)
	for _, w := range refusal {
		if !strings.Contains(out, w) {
			s.Errorf("git push %s: no %q in\n%s", strings.Join(args, " "), w, out)
		}
	}
	s.equal("master after git push "+strings.Join(args, " "), s.refs()[master], before)
	return out
}

func (s *cliStory) refusedPushes() {
	feature := "refs/heads/" + demo.Feature
	s.git("checkout", "-q", "master")
	hosttest.Commit(s.T, s.junior, s.juniorDir, "direct.txt", "direct\n")
	s.refused("origin", "master")
	s.git("reset", "-q", "--hard", "origin/master")
	s.git("checkout", "-q", demo.Feature)
	s.refused("origin", demo.Feature+":master")
	s.refused("--force", "origin", demo.Feature+":master")
	s.refused("origin", ":master")

	s.git("tag", "-a", "-m", "One", "v1")
	s.refused("origin", "v1", demo.Feature+":master")
	if s.refs()["refs/tags/v1"] == "" {
		s.Error("the tag of a mixed push did not land")
	}

	s.git("clone", "-q", "--mirror", s.url, "../mirror")
	s.git("-C", "../mirror", "branch", "-f", "master", demo.Feature)
	s.git("-C", "../mirror", "branch", "mirrored", demo.Feature)
	s.refused2("-C", "../mirror", "push", "--mirror")
	if s.refs()["refs/heads/mirrored"] == "" {
		s.Error("the permitted branch of a mirror did not land")
	}

	s.refused("--atomic", "origin", feature+":refs/heads/atomic", feature+":"+master)
	if tip := s.refs()["refs/heads/atomic"]; tip != "" {
		s.Errorf("of an atomic push with a refused ref, another landed at %s", tip)
	}
	s.refused("origin", feature+":refs/heads/mixed", feature+":"+master)
	s.equal("the permitted branch of a mixed push", s.refs()["refs/heads/mixed"], s.refs()[feature])
}

// refused2 is refused with the whole command.
func (s *cliStory) refused2(args ...string) {
	s.Helper()
	before := s.refs()[master]
	out := hosttest.GitFails(s.T, s.junior, s.juniorDir, args...)
	if !strings.Contains(out, "MayNotChangeMaster") {
		s.Errorf("git %s: no reason in\n%s", strings.Join(args, " "), out)
	}
	s.equal("master after git "+strings.Join(args, " "), s.refs()[master], before)
}

func (s *cliStory) pullRequest() {
	s.pull = s.juniorSh.get("pullRequest.pullRequestId", "codecommit", "create-pull-request", "--title", "A new feature",
		"--targets", "repositoryName="+demo.Repository+",sourceReference="+demo.Feature+",destinationReference=master")
	merge := []string{"codecommit", "merge-pull-request-by-fast-forward", "--pull-request-id", s.pull, "--repository-name", demo.Repository}
	before := s.tip()
	s.juniorSh.fails("AccessDeniedException", []string{
		"User: arn:aws:iam::" + s.h.Account + ":user/" + demo.Junior +
			" is not authorized to perform: codecommit:MergePullRequestByFastForward on resource: arn:aws:codecommit:" +
			s.h.Region + ":" + s.h.Account + ":" + demo.Repository + " with an explicit deny in an identity-based policy",
		demo.Juniors, "MayNotChangeMaster",
	}, merge...)
	s.equal("master after a refused merge", s.tip(), before)
	s.equal("status", s.seniorSh.get("pullRequest.pullRequestStatus", merge...), "CLOSED")
	s.equal("merged", s.seniorSh.get("pullRequest.pullRequestTargets.0.mergeMetadata.isMerged",
		"codecommit", "get-pull-request", "--pull-request-id", s.pull), "true")
	s.equal("master after the merge", s.tip(), s.refs()["refs/heads/"+demo.Feature])
	s.root.fails("PullRequestDoesNotExistException", nil, "codecommit", "get-pull-request", "--pull-request-id", "999")
}

func (s *cliStory) putFile() {
	put := func(branch string) []string {
		return []string{"codecommit", "put-file", "--repository-name", demo.Repository, "--branch-name", branch,
			"--file-path", "notes/by-api.txt", "--file-content", "fileb://" + filepath.Join(s.h.Dir, "content"),
			"--parent-commit-id", s.refs()["refs/heads/"+branch]}
	}
	s.write("content", "written by the API\n")
	s.equal("commit", s.juniorSh.get("commitId", put(demo.Feature)...), s.refs()["refs/heads/"+demo.Feature])
	before := s.tip()
	s.juniorSh.fails("AccessDeniedException", []string{"codecommit:PutFile", "MayNotChangeMaster"}, put("master")...)
	s.equal("master after a refused put-file", s.tip(), before)
	s.git("fetch", "-q", "origin")
	s.equal("the file", s.git("show", "origin/"+demo.Feature+":notes/by-api.txt"), "written by the API\n")
}

func (s *cliStory) cleanUp() {
	git := func(args ...string) { s.Helper(); hosttest.Git(s.T, s.senior, s.seniorDir, args...) }
	git("fetch", "-q", "origin")
	git("checkout", "-q", demo.Feature)
	git("checkout", "-q", "master")
	git("branch", "-D", demo.Feature)
	git("push", "origin", "--delete", demo.Feature)
	git("pull", "--ff-only")
	s.equal("the branch after its deletion", s.refs()["refs/heads/"+demo.Feature], "")
	s.equal("the senior's master", s.head(s.senior, s.seniorDir), s.tip())
}

// toMaster commits on top of master as the junior; pushed says whether the push lands.
func (s *cliStory) toMaster(lands bool) {
	s.Helper()
	s.git("fetch", "-q", "origin", "master")
	s.git("checkout", "-q", "-B", "try", "FETCH_HEAD")
	s.git("commit", "-q", "--allow-empty", "-m", "Try")
	if !lands {
		s.refused("origin", "try:master")
		return
	}
	s.git("push", "origin", "try:master")
	s.equal("master", s.tip(), s.head(s.junior, s.juniorDir))
}

func (s *cliStory) policyDecides() {
	member := func(how, group string) {
		s.Helper()
		s.root.does("iam", how, "--group-name", group, "--user-name", demo.Junior)
	}
	member("add-user-to-group", demo.Approvers)
	s.toMaster(false) // a Deny wins
	s.root.does("iam", "delete-group-policy", "--group-name", demo.Juniors, "--policy-name", demo.Juniors)
	s.toMaster(true)
	s.put(demo.Juniors, s.juniorsFile)
	s.toMaster(false)

	bare := strings.ReplaceAll(demo.JuniorsPolicy(s.h.Place, s.h.Account), master, "master")
	s.put(demo.Juniors, s.write("bare.json", bare))
	s.toMaster(true)
	s.put(demo.Juniors, s.juniorsFile)
	s.toMaster(false)

	member("remove-user-from-group", demo.Juniors)
	s.toMaster(true)
	member("remove-user-from-group", demo.Approvers)
	before := s.tip()
	s.git("commit", "-q", "--allow-empty", "-m", "In no group")
	hosttest.GitFails(s.T, s.junior, s.juniorDir, "push", "origin", "try:master")
	hosttest.GitFails(s.T, s.junior, s.juniorDir, "fetch", "origin")
	s.equal("master", s.tip(), before)
	member("add-user-to-group", demo.Juniors)
	s.toMaster(false)
}

func (s *cliStory) credentialCounts() {
	status := func(to string) {
		s.Helper()
		s.root.does("iam", "update-service-specific-credential", "--user-name", demo.Junior,
			"--service-specific-credential-id", s.junior.CredentialID, "--status", to)
	}
	unproven := func(why string) {
		s.Helper()
		out := hosttest.GitFails(s.T, s.junior, s.juniorDir, "fetch", "origin")
		if !strings.Contains(out, "Authentication failed") {
			s.Errorf("%s: git says\n%s", why, out)
		}
	}
	status("Inactive")
	unproven("an inactive credential")
	status("Active")
	s.git("fetch", "origin")

	right := s.junior.GitPassword
	s.junior.GitPassword = "wrong"
	unproven("a wrong password")
	s.junior.GitPassword = right
	s.git("fetch", "origin")

	fresh := s.root.get("ServiceSpecificCredential.ServicePassword", "iam", "reset-service-specific-credential",
		"--user-name", demo.Junior, "--service-specific-credential-id", s.junior.CredentialID)
	unproven("the password from before a reset")
	s.junior.GitPassword = fresh
	s.git("fetch", "origin")

	s.root.does("iam", "update-access-key", "--user-name", demo.Junior, "--access-key-id", s.junior.AccessKeyID, "--status", "Inactive")
	s.juniorSh.fails("InvalidClientTokenId", nil, "sts", "get-caller-identity")
}
