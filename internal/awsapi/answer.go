package awsapi

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"

	"github.com/refward/refward/internal/fault"
	"github.com/refward/refward/internal/share"
)

// This file is the one place where a refusal becomes bytes, in either protocol.

// Faults of this door's own.
var (
	errMissingAction = fault.Code{Name: "MissingAction", Kind: fault.Invalid}
	errMethod        = fault.Code{Name: "MethodNotAllowed", Kind: fault.Invalid}
	errDeadline      = fault.Code{Name: fault.RequestTimeout.Name, Kind: fault.Unavailable} // the SDKs try again
)

// genericNamespace is that of AWS's answers before and outside of any service, of
// which InvalidAction is one.
const genericNamespace = "http://webservices.amazon.com/AWSFault/2005-15-09"

// jsonCodes are the common codes that awsJson1.1 spells otherwise than awsQuery.
var jsonCodes = map[string]string{
	fault.AccessDenied.Name:               "AccessDeniedException",
	fault.MissingAuthenticationToken.Name: "MissingAuthenticationTokenException",
	fault.IncompleteSignature.Name:        "IncompleteSignatureException",
	fault.SignatureDoesNotMatch.Name:      "InvalidSignatureException",
	fault.InvalidClientTokenID.Name:       "UnrecognizedClientException",
	fault.ExpiredToken.Name:               "ExpiredTokenException",
	fault.InvalidAction.Name:              "UnknownOperationException",
	fault.MalformedInput.Name:             "SerializationException",
	fault.ValidationError.Name:            "ValidationException",
	fault.RequestTooLarge.Name:            "RequestEntityTooLargeException",
	fault.RequestTimeout.Name:             "RequestTimeoutException",
	fault.Throttling.Name:                 "ThrottlingException",
	fault.NotImplemented.Name:             "NotImplementedException",
	fault.ServiceUnavailable.Name:         "ServiceUnavailableException",
}

// refuse answers with an error. A fault is told as it is; of any other error, which is
// ours, the client learns only the request ID, and the log the rest.
func (h *Handler) refuse(w http.ResponseWriter, r *http.Request, e *exchange, err error) {
	f := h.faultOf(r.Context(), e, err)
	if e.protocol == awsJSON {
		w.Header().Set("X-Amzn-Errortype", jsonCode(f.Code))
		e.write(w, e.protocol.status(f.Code), jsonFault(f))
		return
	}
	e.write(w, e.protocol.status(f.Code), e.xmlFault(f))
}

func (h *Handler) faultOf(ctx context.Context, e *exchange, err error) *fault.Fault {
	if f, ok := errors.AsType[*fault.Fault](err); ok {
		return f
	}
	if busy, ok := errors.AsType[*share.Busy](err); ok {
		return fault.Throttling.Wrap(err, "Rate exceeded: %s", busy.Error()) // clients try again by themselves
	}
	if errors.Is(err, context.Canceled) { // the client is gone, and will not see this
		return errDeadline.New("The request was cancelled")
	}
	var service string
	if e.service != nil {
		service = e.service.name
	}
	h.Log.LogAttrs(ctx, slog.LevelError, "an API request failed", slog.String("request_id", e.requestID),
		slog.String("service", service), slog.String("operation", e.operation), slog.Any("error", err))
	if errors.Is(err, context.DeadlineExceeded) {
		return errDeadline.New("The request took too long")
	}
	return fault.InternalFailure.New("The host failed to answer. Request ID: %s", e.requestID)
}

// contentType returns the content type of answers.
func (p protocol) contentType() string {
	if p == awsJSON {
		return "application/x-amz-json-1.1"
	}
	return "text/xml"
}

// status returns the HTTP status of a code. awsJson1.1 answers 400 to nearly all.
func (p protocol) status(c fault.Code) int {
	switch c.Kind {
	case fault.TooLarge:
		return http.StatusRequestEntityTooLarge
	case fault.Unsupported:
		return http.StatusNotImplemented
	case fault.Unavailable:
		return http.StatusServiceUnavailable
	case fault.Invalid, fault.Throttled, fault.Unauthenticated, fault.Denied, fault.NotFound, fault.Conflict, fault.Limit:
	default:
		return http.StatusInternalServerError
	}
	switch {
	case c == errMethod:
		return http.StatusMethodNotAllowed
	case p == awsJSON, c == fault.IncompleteSignature:
		return http.StatusBadRequest
	}
	switch c.Kind {
	case fault.Unauthenticated, fault.Denied:
		return http.StatusForbidden
	case fault.NotFound:
		return http.StatusNotFound
	case fault.Conflict, fault.Limit:
		return http.StatusConflict
	default:
		return http.StatusBadRequest
	}
}

func jsonCode(c fault.Code) string {
	if name, ok := jsonCodes[c.Name]; ok {
		return name
	}
	return c.Name
}

// maxMessage bounds the message of a refusal, in bytes: faults repeat what the client sent,
// such as a name of some megabytes.
const maxMessage = 4 << 10

func message(f *fault.Fault) string {
	if len(f.Message) > maxMessage {
		return strings.ToValidUTF8(f.Message[:maxMessage], "") + "..."
	}
	return f.Message
}

func jsonFault(f *fault.Fault) []byte {
	body := appendJSONString([]byte(`{"__type":`), jsonCode(f.Code))
	body = appendJSONString(append(body, `,"message":`...), message(f))
	return append(body, '}')
}

func (e *exchange) xmlFault(f *fault.Fault) []byte {
	namespace := genericNamespace
	if e.service != nil && f.Code != fault.InvalidAction {
		namespace = e.service.namespace
	}
	side := "Sender"
	if e.protocol.status(f.Code) >= http.StatusInternalServerError {
		side = "Receiver"
	}
	body := []byte(`<ErrorResponse xmlns="` + namespace + `"><Error><Type>` + side + `</Type><Code>`)
	body = appendXMLText(body, f.Code.Name)
	body = appendXMLText(append(body, "</Code><Message>"...), message(f))
	body = appendXMLText(append(body, "</Message></Error><RequestId>"...), e.requestID)
	return append(body, "</RequestId></ErrorResponse>"...)
}
