package content

import (
	"bytes"
	"encoding/binary"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"rollway/xapi"
)

// Manifest is what a tincan.xml says: one activity that can be launched, and others that its content may talk about.
type Manifest struct {
	Activity Activity   // the one that can be launched
	Launches []Launch   // its launch addresses, one per language, at least one
	Others   []Activity // the rest, in the order of the file
}

// Activity is what a manifest says about an activity. Interaction details and extensions are not read: content states them
// itself when it reports.
type Activity struct {
	ID          xapi.IRI         // unique in the manifest
	Type        xapi.IRI         // may be empty
	Name        xapi.LanguageMap // "und" where the manifest gives no language
	Description xapi.LanguageMap
}

// Limits of a manifest.
const (
	maxManifest = 5 * mib
	maxDepth    = 64
	maxElements = 100_000
	maxIRI      = 2_000  // bytes
	maxText     = 20_000 // bytes of a name, a description or an address
)

// manifestSpace is the XML namespace of tincan.xml.
const manifestSpace = "http://projecttincan.com/tincan.xsd"

var errManifestSize = tooLarge("manifest_too_large", "The file tincan.xml is larger than {n} MB.", "n", maxManifest/mib)

// ParseManifest reads the bytes of a tincan.xml by the schema http://projecttincan.com/tincan.xsd. What the schema does not
// know is passed over. A document type is refused before the XML is parsed, so there are no entities beyond XML's own five.
func ParseManifest(text []byte, o Options) (*Manifest, error) {
	if len(text) > maxManifest {
		return nil, errManifestSize
	}
	text, wide, err := decode(text)
	if err != nil {
		return nil, err
	}
	upper := bytes.ToUpper(text)
	if bytes.Contains(upper, []byte("<!DOCTYPE")) || bytes.Contains(upper, []byte("<!ENTITY")) {
		return nil, refuse("manifest_doctype", "The file tincan.xml has a document type (DOCTYPE), which is not allowed. Remove that line.")
	}
	r := manifestReader{xml: xml.NewDecoder(bytes.NewReader(text)), options: o, ids: map[xapi.IRI]bool{}}
	r.xml.CharsetReader = func(label string, in io.Reader) (io.Reader, error) {
		if wide && strings.HasPrefix(strings.ToLower(label), "utf-16") {
			return in, nil
		}
		return nil, errEncoding
	}
	if err := r.read(); err != nil {
		return nil, err
	}
	switch len(r.launchable) {
	case 1:
		return &Manifest{Activity: r.launchable[0].Activity, Launches: r.launchable[0].launches, Others: r.others}, nil
	case 0:
		return nil, refuse("manifest_no_launch", "None of the activities in tincan.xml has a launch address.")
	}
	return nil, refuse("manifest_two_launches", "More than one activity in tincan.xml has a launch address: `{activity}` and `{other}`.", "activity", shown(string(r.launchable[0].ID)), "other", shown(string(r.launchable[1].ID)))
}

var errEncoding = refuse("manifest_encoding", "The file tincan.xml must be in UTF-8, or in UTF-16 with a byte order mark, and say so.")

// decode returns the text as UTF-8 without a byte order mark, and whether it came as UTF-16.
func decode(text []byte) (_ []byte, wide bool, _ error) {
	var order binary.ByteOrder
	switch {
	case bytes.HasPrefix(text, []byte{0xfe, 0xff}):
		order = binary.BigEndian
	case bytes.HasPrefix(text, []byte{0xff, 0xfe}):
		order = binary.LittleEndian
	default:
		text = bytes.TrimPrefix(text, []byte("\ufeff"))
		if !utf8.Valid(text) {
			return nil, false, errEncoding
		}
		return text, false, nil
	}
	if len(text)%2 != 0 {
		return nil, false, errEncoding
	}
	out := make([]byte, 0, len(text))
	for i := 2; i < len(text); i += 2 {
		c := rune(order.Uint16(text[i:]))
		if utf16.IsSurrogate(c) {
			if i += 2; i >= len(text) {
				return nil, false, errEncoding
			}
			if c = utf16.DecodeRune(c, rune(order.Uint16(text[i:]))); c == utf8.RuneError {
				return nil, false, errEncoding
			}
		}
		out = utf8.AppendRune(out, c)
	}
	return out, true, nil
}

// manifestReader walks through the XML. It knows the elements tincan > activities > activity > name, description, launch.
type manifestReader struct {
	xml        *xml.Decoder
	options    Options
	path       []string // local names of the open elements; "" for those of another namespace
	elements   int
	ids        map[xapi.IRI]bool
	launchable []activityElement
	others     []Activity

	now  activityElement // the activity being read
	lang string          // of the field being read
	text strings.Builder // of the field being read
}

type activityElement struct {
	Activity
	launches []Launch
}

func (r *manifestReader) read() error {
	for {
		token, err := r.xml.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return asFault(err, refuse("manifest_xml", "The file tincan.xml is not well-formed XML (line {line}).", "line", r.line()))
		}
		switch t := token.(type) {
		case xml.StartElement:
			err = r.start(t)
		case xml.EndElement:
			err = r.end()
		case xml.CharData:
			err = r.chars(t)
		case xml.Directive:
			err = refuse("manifest_doctype", "The file tincan.xml has a declaration (`<!…>`), which is not allowed. Remove it.")
		}
		if err != nil {
			return err
		}
	}
	if r.elements == 0 {
		return refuse("manifest_xml", "The file tincan.xml is empty.", "line", r.line())
	}
	return nil
}

// line is where the reader is.
func (r *manifestReader) line() int {
	n, _ := r.xml.InputPos()
	return n
}

func (r *manifestReader) start(t xml.StartElement) error {
	r.elements++
	name := t.Name.Local
	if t.Name.Space != manifestSpace {
		name = ""
	}
	switch {
	case len(r.path) == 0 && r.elements > 1:
		return refuse("manifest_xml", "The file tincan.xml has more than one outermost element.", "line", r.line())
	case len(r.path) == 0 && name != "tincan":
		return refuse("manifest_root", "The file tincan.xml must begin with the element `tincan` of the namespace {space}.", "space", manifestSpace)
	case r.elements > maxElements:
		return tooLarge("manifest_too_large", "The file tincan.xml has more than {n} elements.", "n", maxElements)
	case len(r.path) == maxDepth:
		return tooLarge("manifest_too_large", "The elements of tincan.xml are nested deeper than {n}.", "n", maxDepth)
	}
	seen := make(map[xml.Name]bool, len(t.Attr))
	for _, a := range t.Attr {
		if seen[a.Name] {
			return refuse("manifest_xml", "The file tincan.xml gives the attribute `{attribute}` twice to one element.", "line", r.line(), "attribute", shown(a.Name.Local))
		}
		seen[a.Name] = true
	}
	r.path = append(r.path, name)
	if r.inActivity() {
		switch len(r.path) {
		case 3:
			return r.startActivity(t)
		case 4:
			return r.startField(t)
		}
	}
	return nil
}

// inActivity reports whether the open elements are those around and in an activity.
func (r *manifestReader) inActivity() bool {
	return len(r.path) >= 3 && r.path[1] == "activities" && r.path[2] == "activity"
}

func (r *manifestReader) startActivity(t xml.StartElement) error {
	var id, kind string
	for _, a := range t.Attr {
		switch a.Name {
		case xml.Name{Local: "id"}:
			id = strings.TrimSpace(a.Value)
		case xml.Name{Local: "type"}:
			kind = strings.TrimSpace(a.Value)
		}
	}
	r.now = activityElement{}
	var err error
	if r.now.ID, err = xapi.ParseIRI(id); err != nil || len(id) > maxIRI {
		return refuse("manifest_activity_id", "The activity id `{activity}` in tincan.xml is not an absolute IRI, such as https://example.com/course.", "activity", shown(id))
	}
	if r.ids[r.now.ID] {
		return refuse("manifest_activity_id", "The activity id `{activity}` is in tincan.xml twice.", "activity", shown(id))
	}
	r.ids[r.now.ID] = true
	if kind == "" {
		return nil
	}
	if r.now.Type, err = xapi.ParseIRI(kind); err != nil || len(kind) > maxIRI {
		return refuse("manifest_activity_type", "The type `{type}` of the activity `{activity}` in tincan.xml is not an absolute IRI.", "type", shown(kind), "activity", shown(id))
	}
	return nil
}

func (r *manifestReader) startField(t xml.StartElement) error {
	r.text.Reset()
	r.lang = ""
	for _, a := range t.Attr {
		if a.Name.Local == "lang" { // the schema says lang, its description xml:lang
			r.lang = strings.ReplaceAll(strings.TrimSpace(a.Value), "_", "-")
		}
	}
	if r.lang == "" {
		r.lang = "und"
	}
	switch r.path[3] {
	case "name", "description", "launch":
		if !xapi.ValidLanguage(r.lang) {
			return refuse("manifest_language", "`{lang}` in tincan.xml is not a language tag, such as en or de-AT.", "lang", shown(r.lang))
		}
	}
	return nil
}

// chars takes text. Outside the outermost element only white space may stand.
func (r *manifestReader) chars(t xml.CharData) error {
	switch {
	case len(r.path) == 0 && len(bytes.TrimSpace(t)) > 0:
		return refuse("manifest_xml", "The file tincan.xml has text outside its outermost element.", "line", r.line())
	case r.inActivity() && len(r.path) == 4:
		if r.text.Len()+len(t) > maxText {
			return tooLarge("manifest_too_large", "A text of the activity `{activity}` in tincan.xml is longer than {n} bytes.", "activity", shown(string(r.now.ID)), "n", maxText)
		}
		r.text.Write(t)
	}
	return nil
}

func (r *manifestReader) end() error {
	var err error
	if r.inActivity() {
		switch len(r.path) {
		case 3:
			if len(r.now.launches) > 0 {
				r.launchable = append(r.launchable, r.now)
			} else {
				r.others = append(r.others, r.now.Activity)
			}
		case 4:
			err = r.endField()
		}
	}
	r.path = r.path[:len(r.path)-1]
	return err
}

// endField keeps a field that has a text. Runs of white space, which come from indenting, count as one blank.
func (r *manifestReader) endField() error {
	text := strings.Join(strings.Fields(r.text.String()), " ")
	if text == "" {
		return nil
	}
	taken := refuse("manifest_language", "The activity `{activity}` in tincan.xml has two texts `{field}` in the language `{lang}`.", "activity", shown(string(r.now.ID)), "field", r.path[3], "lang", r.lang)
	keep := func(m *xapi.LanguageMap) error {
		if *m == nil {
			*m = xapi.LanguageMap{}
		}
		if _, ok := (*m)[r.lang]; ok {
			return taken
		}
		(*m)[r.lang] = text
		return nil
	}
	switch r.path[3] {
	case "name":
		return keep(&r.now.Name)
	case "description":
		return keep(&r.now.Description)
	case "launch":
		for _, l := range r.now.launches {
			if l.Lang == r.lang {
				return taken
			}
		}
		l, err := parseLaunch(strings.TrimSpace(r.text.String()), r.options)
		l.Lang = r.lang
		r.now.launches = append(r.now.launches, l)
		return err
	}
	return nil
}
