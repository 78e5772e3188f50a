package xapi

// FormatIDs returns a valid statement with only what identifies its Agents,
// Groups, Activities and Verbs: the query parameter format=ids (Communication
// 2.1.3). The error, an [*Error], says that the text is not strict JSON.
func FormatIDs(statement []byte) ([]byte, error) {
	n, err := parseTree(statement)
	if err != nil {
		return nil, err
	}
	n.get("authority").idsActor()
	n.idsPart()
	return n.append(nil), nil
}

func (n *node) idsPart() {
	n.get("actor").idsActor()
	if verb := n.get("verb"); verb != nil {
		verb.keep("id")
	}
	if object := n.get("object"); object != nil {
		switch object.get("objectType").string() {
		case "Agent", "Group":
			object.idsActor()
		case "StatementRef":
		case "SubStatement":
			object.idsPart()
		default:
			object.keep("id")
		}
	}
	context := n.get("context")
	context.get("instructor").idsActor()
	context.get("team").idsActor()
	for _, elem := range context.get("contextAgents").list() {
		elem.get("agent").idsActor()
	}
	for _, elem := range context.get("contextGroups").list() {
		elem.get("group").idsActor()
	}
	for _, activity := range context.activities() {
		activity.keep("id")
	}
}

// activities lists the contextActivities of a context.
func (n *node) activities() []*node {
	var all []*node
	if groups := n.get("contextActivities"); groups != nil {
		for _, value := range groups.elems {
			all = append(all, value.list()...)
		}
	}
	return all
}

// idsActor keeps the identifier of an actor, or the members of an anonymous
// Group.
func (n *node) idsActor() {
	if n == nil {
		return
	}
	for _, ifi := range []string{"mbox", "mbox_sha1sum", "openid", "account"} {
		if n.get(ifi) != nil {
			n.keep("objectType", ifi)
			return
		}
	}
	n.keep("objectType", "member")
	for _, member := range n.get("member").list() {
		member.idsActor()
	}
}

// CanonicalFormat is the query parameter format=canonical: Activities and Verbs
// as the record store knows them, each text in one language (Communication
// 2.1.3).
type CanonicalFormat struct {
	Languages Languages // that the reader wants

	// Definition returns the JSON text of what is known about an Activity, and
	// Display the language map of a Verb; nil if nothing is known, and then the
	// statement's own is used. Both functions may be nil.
	Definition func(activity IRI) []byte
	Display    func(verb IRI) []byte
}

// Format returns a valid statement in this format. The error, an [*Error], says
// that the text, or what Definition or Display gave, is not strict JSON.
func (f CanonicalFormat) Format(statement []byte) ([]byte, error) {
	n, err := parseTree(statement)
	if err != nil {
		return nil, err
	}
	if err := f.part(n); err != nil {
		return nil, err
	}
	return n.append(nil), nil
}

func (f CanonicalFormat) part(n *node) error {
	if verb := n.get("verb"); verb != nil {
		if err := known(verb, "display", f.Display); err != nil {
			return err
		}
		f.pick(verb.get("display"))
	}
	activities := n.get("context").activities()
	if object := n.get("object"); object != nil {
		switch object.get("objectType").string() {
		case "SubStatement":
			if err := f.part(object); err != nil {
				return err
			}
		case "", "Activity":
			activities = append(activities, object)
		}
	}
	for _, activity := range activities {
		if err := known(activity, "definition", f.Definition); err != nil {
			return err
		}
		f.definition(activity.get("definition"))
	}
	return nil
}

// known replaces a member of something with an id by what is known about it.
func known(n *node, member string, lookup func(IRI) []byte) error {
	if lookup == nil {
		return nil
	}
	text := lookup(IRI(n.get("id").string()))
	if text == nil {
		return nil
	}
	value, err := parseTree(text)
	if err != nil {
		return err
	}
	n.set(member, value)
	return nil
}

func (f CanonicalFormat) definition(n *node) {
	f.pick(n.get("name"))
	f.pick(n.get("description"))
	for _, list := range componentLists {
		for _, component := range n.get(list).list() {
			f.pick(component.get("description"))
		}
	}
}

var componentLists = []string{"choices", "scale", "source", "target", "steps"}

// pick leaves one language in a language map.
func (f CanonicalFormat) pick(n *node) {
	if n == nil || n.kind != '{' {
		return
	}
	if i := f.Languages.Pick(n.names); i >= 0 {
		n.keep(n.names[i])
	}
}
