package xapi

import (
	"bytes"
	"slices"
	"strings"
)

// Equal tells whether two valid statements, as JSON text, say the same by the
// comparison rules of the standard (Data 2.3.1): a statement sent again, or the
// payload of its signature, equals the one that is stored. Not counted are
//
//   - stored and authority, and id, timestamp and version where only one of the
//     two has them: the record store sets these;
//   - definitions of Activities and the display of Verbs;
//   - the order of members of a Group, and how a timestamp is written
//     (milliseconds count);
//   - attachments that are signatures, as a signed text cannot hold its own;
//   - contextActivities given as one object instead of an array of one;
//   - the case of the domain of an address and of hexadecimal digits;
//   - digits of a duration beyond 0.01 s (Data 4.6);
//   - white space, escapes, the order of names, and how a number is written.
//
// Everything else counts, an objectType that is left out too. The error, an
// [*Error], says that a text is not strict JSON.
func Equal(a, b []byte) (bool, error) {
	x, err := canonicalTree(a)
	if err != nil {
		return false, err
	}
	y, err := canonicalTree(b)
	if err != nil {
		return false, err
	}
	for _, name := range []string{"id", "timestamp", "version"} {
		if x.get(name) == nil || y.get(name) == nil {
			x.set(name, nil)
			y.set(name, nil)
		}
	}
	return bytes.Equal(x.appendCanonical(nil), y.appendCanonical(nil)), nil
}

// Canonical returns a form of a valid statement that is the same for texts
// which say the same, for hashing. It leaves out and unifies what [Equal] does
// not count, but keeps id, timestamp and version if they are there: statements
// with the same form are equal, and of others [Equal] must be asked. The error,
// an [*Error], says that the text is not strict JSON.
func Canonical(src []byte) ([]byte, error) {
	n, err := canonicalTree(src)
	if err != nil {
		return nil, err
	}
	return n.appendCanonical(nil), nil
}

func canonicalTree(src []byte) (*node, error) {
	n, err := parseTree(src)
	if err != nil {
		return nil, err
	}
	n.set("stored", nil)
	n.set("authority", nil)
	n.lower("id")
	n.canonicalPart()
	return n, nil
}

// canonicalPart unifies a statement or SubStatement.
func (n *node) canonicalPart() {
	if s := n.get("timestamp"); s != nil {
		if t, err := ParseTimestamp(s.string()); err == nil {
			n.set("timestamp", newString(FormatTimestamp(t)))
		}
	}
	n.get("actor").canonicalActor()
	if verb := n.get("verb"); verb != nil {
		verb.set("display", nil)
	}
	if object := n.get("object"); object != nil {
		switch object.get("objectType").string() {
		case "Agent", "Group":
			object.canonicalActor()
		case "StatementRef":
			object.lower("id")
		case "SubStatement":
			object.canonicalPart()
		default:
			object.set("definition", nil)
		}
	}
	if result := n.get("result"); result != nil {
		if d := result.get("duration"); d != nil {
			result.set("duration", newString(Duration(d.string()).comparable()))
		}
	}
	n.get("context").canonicalContext()
	n.canonicalAttachments()
}

func (n *node) canonicalContext() {
	if n == nil {
		return
	}
	n.lower("registration")
	n.get("instructor").canonicalActor()
	n.get("team").canonicalActor()
	if ref := n.get("statement"); ref != nil {
		ref.lower("id")
	}
	for _, member := range []string{"contextAgents", "contextGroups"} {
		for _, elem := range n.get(member).list() {
			elem.get("agent").canonicalActor()
			elem.get("group").canonicalActor()
		}
	}
	if activities := n.get("contextActivities"); activities != nil {
		for i, value := range activities.elems {
			list := value.list()
			for _, activity := range list {
				activity.set("definition", nil)
			}
			activities.elems[i] = &node{kind: '[', elems: list}
		}
	}
}

func (n *node) canonicalAttachments() {
	attachments := n.get("attachments")
	if attachments == nil {
		return
	}
	attachments.elems = slices.DeleteFunc(attachments.elems, func(a *node) bool {
		a.lower("sha2")
		return a.get("usageType").string() == string(SignatureUsage)
	})
	if len(attachments.elems) == 0 {
		n.set("attachments", nil)
	}
}

func (n *node) canonicalActor() {
	if n == nil {
		return
	}
	if mbox := n.get("mbox"); mbox != nil && validMbox([]byte(mbox.string())) {
		n.set("mbox", newString(string(appendMbox(nil, []byte(mbox.string())))))
	}
	n.lower("mbox_sha1sum")
	member := n.get("member")
	if member == nil {
		return
	}
	for _, agent := range member.elems {
		agent.canonicalActor()
	}
	slices.SortFunc(member.elems, func(a, b *node) int {
		return bytes.Compare(a.appendCanonical(nil), b.appendCanonical(nil))
	})
}

// lower puts a string member in lower case.
func (n *node) lower(name string) {
	if s := n.get(name); s != nil && s.kind == '"' {
		n.set(name, newString(strings.ToLower(s.string())))
	}
}
