package awsapi

import (
	"mime"
	"net/http"
	"strings"

	"github.com/refward/refward/internal/fault"
)

// request is what a verified request asks for. decode reads its input into a struct of
// the SDK.
type request struct {
	service   *service
	operation string
	decode    func(in any) error
}

// protocolOf says what protocol a request speaks, before anything is known of it. Only
// awsJson1.1 has a target or a content type of JSON.
func protocolOf(r *http.Request) protocol {
	if r.Method == http.MethodPost && (r.Header.Get("X-Amz-Target") != "" || strings.HasPrefix(mediaType(r), jsonMediaPrefix)) {
		return awsJSON
	}
	return awsQuery
}

const (
	jsonMediaPrefix = "application/x-amz-json-"
	formMedia       = "application/x-www-form-urlencoded"
)

// mediaType returns the request's content type without parameters, or "".
func mediaType(r *http.Request) string {
	t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		return ""
	}
	return t
}

// dispatch reads which operation of the service that the signature is scoped to a
// request names.
func (h *Handler) dispatch(r *http.Request, s *service, body []byte) (request, error) {
	if v := r.Header.Get("Content-Encoding"); v != "" && v != "identity" {
		return request{}, fault.MalformedInput.New("The content encoding %q is not accepted", clip(v))
	}
	if s.protocol == awsJSON {
		return h.dispatchJSON(r, s, body)
	}
	return h.dispatchQuery(r, s, body)
}

func (h *Handler) dispatchJSON(r *http.Request, s *service, body []byte) (request, error) {
	target := r.Header.Get("X-Amz-Target")
	operation, ok := strings.CutPrefix(target, s.target)
	if !ok {
		return request{}, s.unknown(target, "")
	}
	if !strings.HasPrefix(mediaType(r), jsonMediaPrefix) {
		return request{}, fault.MalformedInput.New("The content type %q is not application/x-amz-json-1.1", clip(r.Header.Get("Content-Type")))
	}
	decode := func(in any) error { return h.json.decode(body, in) }
	return request{service: s, operation: operation, decode: decode}, nil
}

func (h *Handler) dispatchQuery(r *http.Request, s *service, body []byte) (request, error) {
	text := r.URL.RawQuery
	if r.Method == http.MethodPost {
		if t := mediaType(r); t != formMedia {
			return request{}, fault.MalformedInput.New("The content type %q is not %s", clip(r.Header.Get("Content-Type")), formMedia)
		}
		text = string(body)
	}
	f, err := parseForm(text)
	if err != nil {
		return request{}, err
	}
	action, ok := f.get("Action")
	if !ok || action == "" {
		return request{}, errMissingAction.New("The request must contain the parameter Action")
	}
	version, ok := f.get("Version")
	if !ok {
		version = "NO_VERSION_SPECIFIED" // AWS's words
	}
	if err := addressed(s, version, action); err != nil {
		return request{}, err
	}
	decode := func(in any) error { return h.query.decode(f, in) }
	return request{service: s, operation: action, decode: decode}, nil
}

// addressed checks that the version is that of the service which the signature is
// scoped to.
func addressed(s *service, version, action string) error {
	if version == s.version {
		return nil
	}
	for _, other := range services {
		if other.protocol == awsQuery && other.version == version {
			return fault.SignatureDoesNotMatch.New("Credential should be scoped to correct service: '%s'.", other.name)
		}
	}
	return s.unknown(action, version)
}

// unknown is the fault of an operation that AWS does not publish.
func (s *service) unknown(operation, version string) error {
	if s.protocol == awsJSON {
		return fault.InvalidAction.New("The operation %q is unknown", clip(operation))
	}
	return fault.InvalidAction.New("Could not find operation %s for version %s", clip(operation), clip(version))
}

// maxEcho is how much of what a client sent an answer repeats.
const maxEcho = 128

func clip(s string) string {
	if len(s) > maxEcho {
		return strings.ToValidUTF8(s[:maxEcho], "") + "..."
	}
	return s
}
