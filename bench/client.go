package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"strconv"
	"time"
)

// client is one keep-alive connection that sends requests ready made. It reads just enough of an answer to find its end, so
// that the load costs the machine it shares with the server as little as possible.
type client struct {
	conn  net.Conn
	buf   []byte
	until time.Time // when the connection's deadline is to be moved on
}

// reply is an answer; its parts are valid until the next request.
type reply struct {
	status     int
	head, body []byte
}

// patience is how long an answer may take.
const patience = 30 * time.Second

func dial(ctx context.Context, address string) (*client, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	return &client{conn: conn, buf: make([]byte, 16<<10)}, nil
}

func (c *client) close() error { return c.conn.Close() }

// do sends a request and reads its answer.
func (c *client) do(request []byte) (reply, error) {
	if now := time.Now(); now.After(c.until) {
		if err := c.conn.SetDeadline(now.Add(2 * patience)); err != nil {
			return reply{}, err
		}
		c.until = now.Add(patience)
	}
	if _, err := c.conn.Write(request); err != nil {
		return reply{}, err
	}
	n := 0
	for {
		if n == len(c.buf) {
			c.buf = append(c.buf, make([]byte, len(c.buf))...)
		}
		got, err := c.conn.Read(c.buf[n:])
		if err != nil {
			return reply{}, fmt.Errorf("after %d bytes of an answer: %w", n, err)
		}
		n += got
		r, whole, err := parseReply(c.buf[:n])
		if err != nil || whole {
			return r, err
		}
	}
}

// parseReply reads an answer and reports whether it is complete. The chunks of a body that came in chunks are then moved
// together.
func parseReply(b []byte) (r reply, whole bool, err error) {
	end := bytes.Index(b, []byte("\r\n\r\n"))
	if end < 0 {
		return r, false, nil
	}
	r.head = b[:end]
	if len(r.head) < 12 || !bytes.HasPrefix(r.head, []byte("HTTP/1.1 ")) {
		return r, false, fmt.Errorf("not an answer: %.40q", r.head)
	}
	if r.status, err = strconv.Atoi(string(r.head[9:12])); err != nil {
		return r, false, fmt.Errorf("not an answer: %.40q", r.head)
	}
	length := 0
	if value, ok := field(r.head, "Content-Length"); ok {
		if length, err = strconv.Atoi(value); err != nil || length < 0 {
			return r, false, fmt.Errorf("the length of an answer is %.20q", value)
		}
	} else if _, chunked := field(r.head, "Transfer-Encoding"); chunked {
		if whole, err = eachChunk(b[end+4:], func([]byte) {}); whole {
			r.body = b[end+4 : end+4]
			_, err = eachChunk(b[end+4:], func(part []byte) { r.body = append(r.body, part...) }) // each moves towards the front
		}
		return r, whole, err
	}
	if len(b) < end+4+length {
		return r, false, nil
	}
	if len(b) > end+4+length {
		return r, false, fmt.Errorf("%d bytes came after an answer", len(b)-end-4-length)
	}
	r.body = b[end+4:]
	return r, true, nil
}

// eachChunk goes along the chunks of a body (RFC 9112, 7.1; extensions and trailers do not occur) and reports whether it is
// whole.
func eachChunk(b []byte, part func([]byte)) (whole bool, err error) {
	for {
		end := bytes.IndexByte(b, '\n')
		if end < 0 {
			return false, nil
		}
		size, err := strconv.ParseUint(string(bytes.TrimSuffix(b[:end], []byte("\r"))), 16, 31)
		if err != nil {
			return false, fmt.Errorf("not the length of a chunk: %.20q", b)
		}
		b = b[end+1:]
		if len(b) < int(size)+2 {
			return false, nil
		}
		if size == 0 && len(b) > 2 {
			return false, fmt.Errorf("%d bytes came after an answer", len(b)-2)
		}
		if size == 0 {
			return true, nil
		}
		part(b[:size])
		b = b[size+2:]
	}
}

// field finds a header field as net/http writes it.
func field(head []byte, name string) (string, bool) {
	at := bytes.Index(head, []byte("\r\n"+name+": "))
	if at < 0 {
		return "", false
	}
	value := head[at+len(name)+4:]
	if end := bytes.IndexByte(value, '\r'); end >= 0 {
		value = value[:end]
	}
	return string(value), true
}

// get and post are requests ready to send.
func get(host, target string, headers ...string) []byte {
	return request("GET", host, target, nil, headers...)
}

func post(host, target string, body []byte, headers ...string) []byte {
	return request("POST", host, target, body, append(headers, "Content-Type: application/json")...)
}

func request(method, host, target string, body []byte, headers ...string) []byte {
	return appendRequest(nil, requestHead(method, host, target, headers...), body)
}

// requestHead is a request up to where its length follows.
func requestHead(method, host, target string, headers ...string) []byte {
	b := fmt.Appendf(nil, "%s %s HTTP/1.1\r\nHost: %s\r\n", method, target, host)
	for _, h := range headers {
		b = append(append(b, h...), "\r\n"...)
	}
	return b
}

func appendRequest(b, head, body []byte) []byte {
	b = append(b, head...)
	if body != nil {
		b = append(b, "Content-Length: "...)
		b = strconv.AppendInt(b, int64(len(body)), 10)
		b = append(b, "\r\n"...)
	}
	return append(append(b, "\r\n"...), body...)
}
