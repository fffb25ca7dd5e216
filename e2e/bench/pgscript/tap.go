package pgscript

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"sync"

	"github.com/jackc/pgx/v5/pgproto3"
)

// Said is one statement as it went over the wire.
type Said struct {
	SQL string
	// Formats and Values are those of the Bind message; none for a statement that was sent as a simple query.
	Formats []int16
	Values  [][]byte
}

// Tap is a proxy in front of a Postgres server that keeps what clients execute.
type Tap struct {
	// URL is the server's, by way of the tap.
	URL string

	listener net.Listener
	server   string
	serving  sync.WaitGroup

	mu    sync.Mutex
	said  []Said
	err   error
	conns []net.Conn
}

// NewTap listens in front of the server at serverURL, whose sessions must be unencrypted (sslmode=disable). Close it.
func NewTap(serverURL string) (*Tap, error) {
	parsed, err := url.Parse(serverURL)
	if err != nil {
		return nil, err
	}
	if parsed.Query().Get("sslmode") != "disable" {
		return nil, errors.New("pgscript: an encrypted session cannot be listened to: add sslmode=disable to the URL")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	tap := &Tap{listener: listener, server: parsed.Host}
	parsed.Host = listener.Addr().String()
	tap.URL = parsed.String()
	tap.serving.Go(tap.accept)
	return tap, nil
}

// Close ends the tap and its sessions.
func (t *Tap) Close() {
	_ = t.listener.Close()
	t.mu.Lock()
	for _, conn := range t.conns {
		_ = conn.Close()
	}
	t.mu.Unlock()
	t.serving.Wait()
}

// Take returns what was executed since the last Take, by all sessions in the order of arrival. The error says that a
// message could not be understood.
func (t *Tap) Take() ([]Said, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	said := t.said
	t.said = nil
	return said, t.err
}

func (t *Tap) accept() {
	for {
		client, err := t.listener.Accept()
		if err != nil {
			return
		}
		server, err := new(net.Dialer).DialContext(context.Background(), "tcp", t.server)
		if err != nil {
			_ = client.Close()
			continue
		}
		t.mu.Lock()
		t.conns = append(t.conns, client, server)
		t.mu.Unlock()
		t.serving.Go(func() {
			defer func() { _ = client.Close() }()
			_, _ = io.Copy(client, server) // either side's end ends both
		})
		t.serving.Go(func() {
			defer func() { _ = server.Close() }()
			t.listen(client, server)
		})
	}
}

// listen hands on what the client sends, message by message, and notes what it executes before the server can answer.
func (t *Tap) listen(client io.Reader, server io.Writer) {
	s := session{tap: t, prepared: map[string]string{}}
	for begun := false; ; begun = true {
		message, kind, err := read(client, begun)
		if err != nil {
			return
		}
		if err := s.note(kind, message); err != nil {
			t.mu.Lock()
			t.err = errors.Join(t.err, err)
			t.mu.Unlock()
		}
		if _, err := server.Write(message); err != nil {
			return
		}
	}
}

// read reads one whole message. The first of a session has no letter that says its kind.
func read(from io.Reader, begun bool) (message []byte, kind byte, err error) {
	head := make([]byte, 4)
	if begun {
		head = make([]byte, 5)
	}
	if _, err := io.ReadFull(from, head); err != nil {
		return nil, 0, err
	}
	size := binary.BigEndian.Uint32(head[len(head)-4:])
	if size < 4 || size > 1<<24 {
		return nil, 0, fmt.Errorf("a message of %d bytes", size)
	}
	if begun {
		kind = head[0]
	}
	message = make([]byte, len(head)+int(size)-4)
	_, err = io.ReadFull(from, message[copy(message, head):])
	return message, kind, err
}

// session is one client's. It remembers what the names of prepared statements stand for.
type session struct {
	tap      *Tap
	prepared map[string]string
}

func (s *session) note(kind byte, message []byte) error {
	const header = 5
	switch kind {
	case 'P':
		var parse pgproto3.Parse
		if err := parse.Decode(message[header:]); err != nil {
			return err
		}
		s.prepared[parse.Name] = parse.Query
	case 'B':
		var bind pgproto3.Bind
		if err := bind.Decode(message[header:]); err != nil {
			return err
		}
		sql, known := s.prepared[bind.PreparedStatement]
		if !known {
			return fmt.Errorf("a statement %q was bound that nobody had prepared", bind.PreparedStatement)
		}
		s.tap.add(Said{SQL: sql, Formats: bind.ParameterFormatCodes, Values: bind.Parameters})
	case 'Q':
		var query pgproto3.Query
		if err := query.Decode(message[header:]); err != nil {
			return err
		}
		s.tap.add(Said{SQL: query.String})
	}
	return nil
}

func (t *Tap) add(said Said) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.said = append(t.said, said)
}
