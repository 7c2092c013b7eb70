package hosttest

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// Need skips the test where a program is not installed, unless REFWARD_TEST_REQUIRE lists
// it: then the test fails. It returns the program's path.
func Need(t testing.TB, program string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err == nil {
		return path
	}
	required := strings.Split(os.Getenv("REFWARD_TEST_REQUIRE"), ",")
	if slices.Contains(required, program) {
		t.Fatalf("%s is required and not on the PATH", program)
	}
	t.Skipf("%s is not on the PATH: install it to run this test", program)
	return ""
}
