package web

import (
	"cmp"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"rollway/internal/fault"
)

// Body reads the whole body, at most limit bytes; more is a TooLarge fault. Unlike http.MaxBytesReader it leaves the
// connection alone: net/http drains a rest of up to 256 KB by itself, and closes on a longer one.
func Body(r *http.Request, limit int64) ([]byte, error) {
	if r.ContentLength > limit {
		return nil, tooLarge(limit)
	}
	if r.ContentLength < 0 || r.ContentLength > wholeBody {
		b, err := io.ReadAll(Limited(r, limit))
		if err != nil {
			return nil, err
		}
		return b, nil
	}
	b := make([]byte, r.ContentLength) // net/http ends the body there
	if _, err := io.ReadFull(Limited(r, limit), b); err != nil {
		return nil, err
	}
	return b, nil
}

// wholeBody is the longest body that its memory is taken for before it comes, in bytes: no more than that is a client's for
// a head alone.
const wholeBody = 16 << 10

// Limited reads the body as a stream that ends in a TooLarge fault beyond limit bytes, and in an Invalid fault when the
// client breaks off or is too slow.
func Limited(r *http.Request, limit int64) io.Reader {
	if r.ContentLength > limit {
		return &limited{limit: limit, over: true}
	}
	return &limited{r: r.Body, left: limit, limit: limit}
}

type limited struct {
	r           io.Reader
	left, limit int64
	over        bool
}

func (l *limited) Read(p []byte) (int, error) {
	if l.over {
		return 0, tooLarge(l.limit)
	}
	if int64(len(p)) > l.left+1 {
		p = p[:l.left+1] // one more than allowed, to tell an end from an excess
	}
	n, err := l.r.Read(p)
	if int64(n) > l.left {
		l.over = true
		return int(l.left), tooLarge(l.limit)
	}
	l.left -= int64(n)
	if err != nil && err != io.EOF && !hasFault(err) {
		err = fault.New(fault.Invalid, "body_broken", "The body ended before its end, or came too slowly.").Because(err)
	}
	return n, err
}

func hasFault(err error) bool {
	var f *fault.Error
	return errors.As(err, &f)
}

func tooLarge(limit int64) error {
	return fault.New(fault.TooLarge, "body_too_large", "The body is larger than the %d bytes taken here.", limit)
}

// Pace is how fast a body has to come: Grace to begin, then Rate bytes a second on average, and not longer than Most in all,
// unless that is 0.
type Pace struct {
	Grace time.Duration
	Rate  int64
	Most  time.Duration
}

// slowest is the slowest client we bear with.
var slowest = Pace{Grace: 10 * time.Second, Rate: 1 << 10}

// paced is a request body whose read deadline moves with what has arrived. The deadline goes when the body ends, since
// net/http then listens on the connection for the client's leaving; while the body has not ended it stays, and bounds the
// draining that net/http does after the handler.
type paced struct {
	io.ReadCloser
	conn  *http.ResponseController
	pace  Pace
	start time.Time
	read  int64
	set   time.Time // the deadline last set
	ended bool
}

func pace(w http.ResponseWriter, r *http.Request, now time.Time) {
	if r.Body == nil || r.Body == http.NoBody {
		return
	}
	p := &paced{ReadCloser: r.Body, conn: http.NewResponseController(w), pace: slowest, start: now}
	p.allow()
	r.Body = p
}

// Hurry asks for another pace from now on, no slower than what every body needs, whose grace it is if none is given. A read
// that comes too late fails with os.ErrDeadlineExceeded among its causes.
func Hurry(r *http.Request, pace Pace) {
	if p := pacedBody(r); p != nil {
		pace.Grace, pace.Rate = cmp.Or(pace.Grace, slowest.Grace), max(pace.Rate, slowest.Rate)
		p.pace, p.start, p.set = pace, time.Now(), time.Time{}
		p.allow()
	}
}

// pacedBody is the body that Guard gave a request, also when a door has put another around it that has an Unwrap. It is nil
// for requests that did not come by Guard.
func pacedBody(r *http.Request) *paced {
	for body := r.Body; ; {
		switch b := body.(type) {
		case *paced:
			return b
		case interface{ Unwrap() io.ReadCloser }:
			body = b.Unwrap()
		default:
			return nil
		}
	}
}

// earned is how long what has been read may have taken.
func (p *paced) earned() time.Duration {
	return time.Duration(float64(p.read) / float64(p.pace.Rate) * float64(time.Second))
}

func (p *paced) allow() {
	if p.ended {
		return
	}
	may := p.pace.Grace + p.earned()
	if p.pace.Most > 0 {
		may = min(may, p.pace.Most)
	}
	if d := p.start.Add(may); d.Sub(p.set) >= min(time.Second, p.pace.Grace/10) {
		p.set = d
		_ = p.conn.SetReadDeadline(d) // connections that have no deadlines are test recorders
	}
}

func (p *paced) Read(b []byte) (int, error) {
	n, err := p.ReadCloser.Read(b)
	p.read += int64(n)
	if err != nil {
		p.ended = true
		if err == io.EOF {
			_ = p.conn.SetReadDeadline(time.Time{})
		}
		return n, err
	}
	p.allow()
	return n, nil
}

// MaxDepth is how deep JSON from outside may nest. Databases differ beyond some hundreds; nobody means that much.
const MaxDepth = 64

// JSON reads a JSON body of at most limit bytes into v, strictly: the content type must be application/json (415), in UTF-8
// without duplicate names, at most MaxDepth deep and without members v does not have. Faults name the JSON pointer.
func JSON(r *http.Request, limit int64, v any) error {
	if err := ContentType(r, "application/json"); err != nil {
		return err
	}
	b, err := Body(r, limit)
	if err != nil {
		return err
	}
	return ParseJSON(b, v)
}

// ContentType returns a 415 unless the request's content type is one of those given, in UTF-8 as far as it says.
func ContentType(r *http.Request, types ...string) error {
	got := r.Header.Get("Content-Type")
	media, params, err := mime.ParseMediaType(got)
	if err == nil {
		for _, t := range types {
			if charset, ok := params["charset"]; media == t && (!ok || strings.EqualFold(charset, "utf-8")) {
				return nil
			}
		}
	}
	return WithStatus(http.StatusUnsupportedMediaType, fault.New(fault.Invalid, "bad_content_type", "The body must be %s in UTF-8.", strings.Join(types, " or ")).
		With(fault.Field{Name: "Content-Type", Message: "The header says something else.", Value: shorten(got)}))
}

// ParseJSON decodes b into v as JSON does.
func ParseJSON(b []byte, v any) error {
	if tooDeep(b) {
		return fault.New(fault.Invalid, "bad_json", "The JSON nests deeper than %d levels.", MaxDepth)
	}
	err := json.Unmarshal(b, v, json.RejectUnknownMembers(true))
	if err == nil {
		return nil
	}
	if hasFault(err) { // an UnmarshalJSON of ours that knows better
		return err
	}
	where, what := explain(err)
	return fault.New(fault.Invalid, "bad_json", "The body cannot be read as the JSON expected here.").With(fault.Field{Name: where, Message: what})
}

// explain puts a decoder's error into words that repeat nothing of the input but names.
func explain(err error) (pointer, sentence string) {
	var syntax *jsontext.SyntacticError
	var semantic *json.SemanticError
	switch {
	case errors.As(err, &syntax):
		pointer = string(syntax.JSONPointer)
		switch {
		case errors.Is(syntax.Err, jsontext.ErrDuplicateName):
			return pointer, "The name is there twice."
		case errors.Is(syntax.Err, io.ErrUnexpectedEOF):
			return pointer, "The text ends too early."
		}
		return pointer, "This is not valid JSON in UTF-8."
	case errors.As(err, &semantic):
		pointer = string(semantic.JSONPointer)
		switch {
		case errors.Is(semantic.Err, json.ErrUnknownName):
			return pointer, "There is no such member here; case counts."
		case semantic.JSONKind != 0:
			return pointer, "The value, " + kindNames[semantic.JSONKind] + ", is not of the kind expected."
		}
		return pointer, "The value is not of the kind expected."
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return "", "The text ends too early."
	}
	return "", "This is not the JSON expected."
}

var kindNames = map[jsontext.Kind]string{'n': "null", 't': "a boolean", 'f': "a boolean", '"': "a string", '0': "a number", '{': "an object", '[': "an array"}

// tooDeep counts brackets outside strings; whether the text is JSON at all is the decoder's to say.
func tooDeep(b []byte) bool {
	depth, inString := 0, false
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case inString:
			if c == '\\' {
				i++
			} else if c == '"' {
				inString = false
			}
		case c == '"':
			inString = true
		case c == '{' || c == '[':
			if depth++; depth > MaxDepth {
				return true
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return false
}

// shorten cuts and redacts what came from outside before a message repeats it.
func shorten(s string) string {
	if len(s) > 100 {
		s = s[:100] + "…"
	}
	return Redact(strings.ToValidUTF8(s, ""))
}
