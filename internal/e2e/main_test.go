package e2e

import (
	"os"
	"testing"

	"github.com/refward/refward/internal/hosttest"
)

func TestMain(m *testing.M) {
	code := m.Run()
	hosttest.RemoveBinary()
	os.Exit(code)
}
