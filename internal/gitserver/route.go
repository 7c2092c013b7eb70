package gitserver

import "strings"

// root is what every repository's path begins with.
const root = "/v1/repos/"

// The endpoints of a repository.
const (
	infoRefs    = "info/refs"
	uploadPack  = "git-upload-pack"
	receivePack = "git-receive-pack"
)

// route is a path cut into the repository's name and one of the endpoints.
type route struct {
	repository string
	endpoint   string
}

// parseRoute reads an exact path: no other prefix, no empty or additional component, no
// slash at the end. Whether a repository can have the name is the domain's to say.
func parseRoute(path string) (route, bool) {
	rest, ok := strings.CutPrefix(path, root)
	if !ok {
		return route{}, false
	}
	name, endpoint, ok := strings.Cut(rest, "/")
	if !ok || name == "" {
		return route{}, false
	}
	switch endpoint {
	case infoRefs, uploadPack, receivePack:
		return route{name, endpoint}, true
	}
	return route{}, false
}

// path is the repository's own path, which the "GIT" signature covers.
func (r route) path() string { return root + r.repository }
