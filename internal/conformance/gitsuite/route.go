package main

import (
	"net/http"
	"strings"
)

// Who the tests say they are where a password is asked for.
const testUser, testPassword = "user@host", "pass@host"

// route is what a path of the tests means.
type route struct {
	repository string // below the document root
	endpoint   string // info/refs?service=… or a service

	asks      bool   // the host is to ask for a password: the client's credentials are passed on
	version0  bool   // the client's wish for a protocol version is not
	rewritten bool   // a test may change the answer
	spell     bool   // two header fields are needed
	cookie    string // to be set

	redirect string // where the client is sent
	status   int
}

// endpoints are what the host has. What else is below a repository is the dumb protocol's.
var endpoints = []string{"info/refs", "git-upload-pack", "git-receive-pack"}

// parseRoute reads a path; not ok is for one that is a file.
func parseRoute(r *http.Request) (rt route, ok bool) {
	path := strings.TrimPrefix(r.URL.Path, "/")
	if to, status := redirected(path, r.URL.RawQuery); to != "" {
		return route{redirect: to, status: status}, true
	}
	area, rest, _ := strings.Cut(path, "/")
	push := strings.HasSuffix(path, "/git-receive-pack")
	switch area {
	case "auth":
		rt.asks = true
	case "auth-push":
		rt.asks = push
	case "auth-fetch":
		rt.asks = strings.HasSuffix(path, "/git-upload-pack")
	case "half-auth-complete":
		rt.asks = push || r.URL.Query().Get("service") == "git-receive-pack"
	default:
		rest = path
	}
	kind, rest, _ := strings.Cut(rest, "/")
	switch kind {
	case "smart", "smart_noexport", "smart_custom_env", "smart_namespace":
	case "smart_v0":
		rt.version0 = true
	case "smart_headers":
		rt.spell = true
	case "smart_cookies":
		rt.cookie = "name=value"
	case "one_time_perl":
		rt.rewritten = true
	default:
		return route{}, false
	}
	for _, e := range endpoints {
		if name, ok := strings.CutSuffix(rest, "/"+e); ok {
			rt.repository, rt.endpoint = name, e
			return rt, true
		}
	}
	return route{}, false
}

// redirected returns where a client is sent that asks for a path.
func redirected(path, query string) (to string, status int) {
	area, rest, _ := strings.Cut(path, "/")
	if query != "" {
		query = "?" + query
	}
	switch area {
	case "smart-redir-perm":
		return "/smart/" + rest + query, http.StatusMovedPermanently
	case "smart-redir-temp":
		return "/smart/" + rest + query, http.StatusFound
	case "smart-redir-auth":
		return "/auth/smart/" + rest + query, http.StatusMovedPermanently
	case "smart-redir-limited":
		if strings.HasSuffix(rest, "/info/refs") {
			return "/smart/" + rest + query, http.StatusMovedPermanently
		}
	case "ftp-redir":
		return "ftp://localhost:1000/" + rest + query, http.StatusFound
	case "loop-redir":
		return "/loop-redir/x-" + rest + query, http.StatusFound
	}
	return "", 0
}
