// Package person is somebody who uses a host: with the real git, and with AWS's own
// SDK for Go. The demonstration and the tests are played by such people.
//
// A person's git knows nothing of the machine's: no system or user configuration, no
// credential helper but the person's own, no prompt, no inherited GIT_ variable.
package person
