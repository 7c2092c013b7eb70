// Command gitsuite lets the tests that Git has of its own HTTP server run against a
// host. They believe that they start Apache: they call a web server's binary by its
// path, make bare repositories in its document root, and look at the refs there after a
// push. This command is that binary. Behind it runs "refward serve"; every request to
// Git's smart protocol is answered by the host, and the folder and the host's repository
// are made alike before it and after it.
//
//	gitsuite -v | -d ROOT … -c "Listen HOST:PORT" -k start | -d ROOT … -k stop   what the tests call
//	gitsuite report LIST OUTPUT…                                                 what became of them
//
// scripts/git-tests.sh builds it beside a "refward" and runs the tests.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "gitsuite:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) > 0 && args[0] == "report" {
		return reportMain(args[1:])
	}
	c, err := parse(args)
	if err != nil {
		return err
	}
	switch c.do {
	case "version":
		// The tests want a recent Apache, and ask for it in these words.
		fmt.Println("Server version: Apache/2.4.0 (gitsuite, in front of refward)")
		return nil
	case "start":
		return start(ctx, c)
	case "stop":
		return end(ctx, c)
	case "serve":
		return serve(ctx, c)
	}
	return errors.New("say -v, -k start, -k stop or report")
}

// command is what the tests say to Apache, as far as it matters here.
type command struct {
	do     string // version, start, stop, serve
	root   string // the server's folder; the documents are in www below it
	listen string // HOST:PORT
}

// parse reads Apache's options. Those of modules are of no use here.
func parse(args []string) (command, error) {
	var c command
	for i := 0; i < len(args); i++ {
		switch a := args[i]; a {
		case "-v":
			c.do = "version"
		case "-d", "-f", "-c", "-k":
			i++
			if i == len(args) {
				return c, fmt.Errorf("%s needs a value", a)
			}
			switch a {
			case "-d":
				c.root = args[i]
			case "-k":
				c.do = args[i]
			case "-c":
				if l, ok := strings.CutPrefix(args[i], "Listen "); ok {
					c.listen = l
				}
			}
		default:
			if !strings.HasPrefix(a, "-D") {
				return c, fmt.Errorf("what is %q?", a)
			}
			if a == "-DSSL" || a == "-DDAV" || a == "-DSVN" {
				return c, fmt.Errorf("%s is not offered", a)
			}
		}
	}
	if c.do != "version" && c.root == "" {
		return c, errors.New("say -d ROOT")
	}
	return c, nil
}
