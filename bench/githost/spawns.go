package main

import (
	"encoding/binary"
	"os"
	"sync"
	"syscall"
)

// spawns counts the processes that are started below others. The kernel tells of each
// through its connector for process events (netlink(7), NETLINK_CONNECTOR) whoever may
// administer the network; nothing is counted where it does not.
type spawns struct {
	mu      sync.Mutex // guards what follows
	parents map[int]int
	started map[int]int // processes below each process
	blind   bool        // events were lost, or there are none
}

// From linux/netlink.h, linux/connector.h and linux/cn_proc.h.
const (
	netlinkConnector = 11
	cnIndexProcess   = 1
	cnValueProcess   = 1
	multicastListen  = 1
	eventFork        = 1

	netlinkHead   = 16
	connectorHead = 20
	eventHead     = 16
)

// watchSpawns starts to count.
func watchSpawns() *spawns {
	s := &spawns{parents: map[int]int{}, started: map[int]int{}}
	fd, err := listenForProcesses()
	if err != nil {
		s.blind = true
		return s
	}
	go s.read(fd)
	return s
}

func listenForProcesses() (int, error) {
	fd, err := syscall.Socket(syscall.AF_NETLINK, syscall.SOCK_DGRAM|syscall.SOCK_CLOEXEC, netlinkConnector)
	if err != nil {
		return 0, err
	}
	_ = syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_RCVBUF, 4<<20) // as much as is allowed
	err = syscall.Bind(fd, &syscall.SockaddrNetlink{Family: syscall.AF_NETLINK, Groups: cnIndexProcess, Pid: uint32(os.Getpid())})
	if err == nil {
		err = syscall.Sendto(fd, listenMessage(), 0, &syscall.SockaddrNetlink{Family: syscall.AF_NETLINK})
	}
	if err != nil {
		syscall.Close(fd)
		return 0, err
	}
	return fd, nil
}

// listenMessage subscribes to the events.
func listenMessage() []byte {
	e := binary.NativeEndian
	b := e.AppendUint32(nil, netlinkHead+connectorHead+4)
	b = e.AppendUint16(b, syscall.NLMSG_DONE)
	b = e.AppendUint16(b, 0) // flags
	b = e.AppendUint32(b, 0) // sequence
	b = e.AppendUint32(b, uint32(os.Getpid()))
	b = e.AppendUint32(b, cnIndexProcess)
	b = e.AppendUint32(b, cnValueProcess)
	b = e.AppendUint32(b, 0) // sequence
	b = e.AppendUint32(b, 0) // acknowledgement
	b = e.AppendUint16(b, 4) // length of what follows
	b = e.AppendUint16(b, 0) // flags
	return e.AppendUint32(b, multicastListen)
}

func (s *spawns) read(fd int) {
	b := make([]byte, 64<<10)
	for {
		n, _, err := syscall.Recvfrom(fd, b, 0)
		if err == syscall.EINTR {
			continue
		}
		s.mu.Lock()
		if err != nil {
			s.blind = true
			s.mu.Unlock()
			return
		}
		s.event(b[:n])
		s.mu.Unlock()
	}
}

// event reads a message. That of a fork has the thread and the process of the parent,
// then those of the child.
func (s *spawns) event(b []byte) {
	e := binary.NativeEndian
	if len(b) < netlinkHead+connectorHead+eventHead+16 {
		return
	}
	b = b[netlinkHead+connectorHead:]
	if e.Uint32(b) != eventFork {
		return
	}
	b = b[eventHead:]
	parent, thread, child := int(e.Uint32(b[4:])), int(e.Uint32(b[8:])), int(e.Uint32(b[12:]))
	if thread == child {
		s.fork(parent, child)
	}
}

func (s *spawns) fork(parent, child int) {
	s.parents[child] = parent
	delete(s.started, child) // an older process had the number
	for p, depth := parent, 0; p > 1 && depth < 64; p, depth = s.parents[p], depth+1 {
		s.started[p]++
	}
}

// below is how many processes were started below one so far; false where that is not
// known.
func (s *spawns) below(pid int) (int, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.started[pid], !s.blind
}
