package main

import (
	"bytes"
	"context"
	"crypto/sha1"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/refward/refward/internal/git/pktline"
)

// update is a ref that is made.
type update struct{ ref, id string }

// makeRefs pushes refs whose objects the host has. git would do it too, and looks up
// each ref among all others by going through them: that takes minutes for many.
func makeRefs(ctx context.Context, r remote, updates []update) error {
	var b []byte
	capabilities := "\x00report-status agent=" + agent
	for _, u := range updates {
		b = pktline.Append(b, strings.Repeat("0", 40)+" "+u.id+" "+u.ref+capabilities)
		capabilities = ""
	}
	b = pktline.AppendFlush(b)
	empty := []byte("PACK\x00\x00\x00\x02\x00\x00\x00\x00")
	sum := sha1.Sum(empty)
	b = append(append(b, empty...), sum[:]...)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.url+"/git-receive-pack", bytes.NewReader(b))
	if err != nil {
		return err
	}
	req.Header.Set("User-Agent", agent)
	req.Header.Set("Content-Type", "application/x-git-receive-pack-request")
	req.Header.Set("Accept", "application/x-git-receive-pack-result")
	if r.user != "" {
		req.SetBasicAuth(r.user, r.password)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	report, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if n := bytes.Count(report, []byte("ok refs/")); n != len(updates) {
		return fmt.Errorf("%d refs made, of %d: %s %.300q", n, len(updates), res.Status, report)
	}
	return nil
}
