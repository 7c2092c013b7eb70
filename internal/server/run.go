package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"
)

// Run serves until ctx ends, then takes no more requests, lets those under way finish
// for at most Config.DrainTimeout, and returns nil. What is cut off after that was not
// acknowledged. Run is called once.
func (s *Server) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	srv := s.httpServer()
	serving, announced := make(chan struct{}), make(chan struct{})
	srv.BaseContext = func(net.Listener) context.Context {
		close(serving)
		// Requests outlive ctx: draining is not aborting.
		return context.WithoutCancel(ctx)
	}
	g.Go(func() error {
		if err := srv.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serve: %w", err)
		}
		return nil
	})
	g.Go(func() error { return s.ssh.Serve(ctx, s.sshListener) })
	g.Go(func() error {
		defer close(announced)
		select {
		case <-serving:
			if err := s.announce(); err != nil {
				return err
			}
		case <-ctx.Done():
		}
		return nil
	})
	if s.upkeep != nil {
		// It ends with ctx: what it is in the middle of is not worth waiting for.
		g.Go(func() error {
			s.upkeep.Run(ctx)
			return nil
		})
	}
	g.Go(func() error {
		<-ctx.Done()
		<-announced
		return s.drain(srv)
	})
	return g.Wait()
}

// announce says where the host is, once it answers there.
func (s *Server) announce() error {
	if err := s.dir.writeEndpoints(s.ends); err != nil {
		return err
	}
	s.cfg.Log.Info("serving", "http", s.ends.HTTP, "ssh", s.ends.SSH, "account", s.account, "region", s.cfg.Region, "data", s.dir.path)
	fmt.Fprintf(s.cfg.Out, "Refward serves account %s, region %s, on %s and %s\n", s.account, s.cfg.Region, s.ends.HTTP, s.ends.SSH)
	fmt.Fprintf(s.cfg.Out, "  export AWS_ENDPOINT_URL=%s AWS_DEFAULT_REGION=%s\n", s.httpURL, s.cfg.Region)
	if file := s.dir.join(rootCredentialsFile); s.dir.has(rootCredentialsFile) {
		fmt.Fprintf(s.cfg.Out, "  export AWS_SHARED_CREDENTIALS_FILE=%s\n", file)
	}
	return nil
}

func (s *Server) drain(srv *http.Server) error {
	s.draining.Store(true)
	start := s.cfg.Now()
	err := s.dir.remove(endpointsFile)
	ctx, cancel := context.WithTimeout(context.Background(), s.cfg.DrainTimeout)
	defer cancel()
	if cut := srv.Shutdown(ctx); cut != nil {
		s.cfg.Log.Warn("requests were cut off", "after", s.cfg.DrainTimeout)
		err = errors.Join(err, srv.Close())
	}
	s.cfg.Log.Info("stopped", "took", s.cfg.Now().Sub(start).Round(time.Millisecond))
	return err
}
