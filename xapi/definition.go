package xapi

import (
	"bytes"
	"slices"
)

// MergedDefinition is what is known about an Activity, while statements tell more. It
// takes one in in the time that reading it takes, however much is known.
type MergedDefinition struct {
	tree   *node
	size   int                       // bytes of its text, or a few more
	places map[string]map[string]int // of languages, where they were looked for
}

// ParseMergedDefinition reads what is known about an Activity; nil is nothing. The
// error, an [*Error], says that the text is not strict JSON.
func ParseMergedDefinition(text []byte) (*MergedDefinition, error) {
	d := &MergedDefinition{places: map[string]map[string]int{}}
	if text == nil {
		return d, nil
	}
	var err error
	if d.tree, err = parseTree(text); err != nil {
		return nil, err
	}
	d.size = len(d.Text())
	return d, nil
}

// Text is the definition on one line, nil while nothing is known.
func (d *MergedDefinition) Text() []byte {
	if d.tree == nil {
		return nil
	}
	return d.tree.append(nil)
}

// Update takes in what a statement says: names and descriptions keep the
// languages that the new definition lacks, and every other member of the new one
// replaces the old. It returns whether that changes anything: what would make
// the text grow beyond most bytes does not. The error, an [*Error], says that the
// new one is not strict JSON.
func (d *MergedDefinition) Update(text []byte, most int) (changed bool, err error) {
	return d.take(text, most, false)
}

// Complete is [MergedDefinition.Update] by somebody who may add to what is known, and
// change nothing of it.
func (d *MergedDefinition) Complete(text []byte, most int) (changed bool, err error) {
	return d.take(text, most, true)
}

func (d *MergedDefinition) take(text []byte, most int, adds bool) (changed bool, err error) {
	said, err := parseTree(text)
	if err != nil {
		return false, err
	}
	if d.tree == nil {
		if size := len(said.append(nil)); size <= most {
			d.tree, d.size, changed = said, size, true
		}
		return changed, nil
	}
	var list []setting
	for i, name := range said.names {
		if languages := d.tree.get(name); languages != nil && (name == "name" || name == "description") {
			for j, language := range said.elems[i].names {
				list = append(list, setting{languages, name, language, d.place(name, language), said.elems[i].elems[j]})
			}
		} else {
			list = append(list, setting{d.tree, "", name, slices.Index(d.tree.names, name), said.elems[i]})
		}
	}
	list = slices.DeleteFunc(list, func(s setting) bool { return s.at >= 0 && (adds || s.same()) })
	grown := 0
	for _, s := range list {
		grown += s.grows()
	}
	if grown > 0 && d.size+grown > most {
		return false, nil
	}
	d.size += grown
	for _, s := range list {
		d.set(s)
	}
	return len(list) > 0, nil
}

// place is where a language stands in a member, -1 for nowhere.
func (d *MergedDefinition) place(member, language string) int {
	places := d.places[member]
	if places == nil {
		places = map[string]int{}
		for i, name := range d.tree.get(member).names {
			places[name] = i
		}
		d.places[member] = places
	}
	if i, there := places[language]; there {
		return i
	}
	return -1
}

func (d *MergedDefinition) set(s setting) {
	if s.at >= 0 {
		s.in.elems[s.at] = s.value
		return
	}
	if s.member != "" {
		d.places[s.member][s.name] = len(s.in.names)
	}
	s.in.names, s.in.elems = append(s.in.names, s.name), append(s.in.elems, s.value)
}

// setting is a value that something is to have in an object.
type setting struct {
	in     *node
	member string // of a definition, that in is; empty for the definition itself
	name   string
	at     int // where it stands, -1 if it is new
	value  *node
}

func (s setting) same() bool { return bytes.Equal(s.in.elems[s.at].append(nil), s.value.append(nil)) }

// grows is by how many bytes the text grows; commas are counted where there may be none.
func (s setting) grows() int {
	size := len(s.value.append(nil))
	if s.at >= 0 {
		return size - len(s.in.elems[s.at].append(nil))
	}
	return len(newString(s.name).raw) + len(`:,`) + size
}
