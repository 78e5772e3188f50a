package xapi

// MergeDefinition returns what is known about an Activity after a statement
// brought a new definition: names and descriptions keep the languages that the
// new one lacks, and every other member of the new one replaces the old. Either
// may be nil, which is no definition. If nothing changes, it returns old itself.
// The error, an [*Error], says that a text is not strict JSON.
func MergeDefinition(old, new []byte) ([]byte, error) {
	if new == nil {
		return old, nil
	}
	update, err := parseTree(new)
	if err != nil {
		return nil, err
	}
	if old == nil {
		return update.append(nil), nil
	}
	merged, err := parseTree(old)
	if err != nil {
		return nil, err
	}
	before := string(merged.append(nil))
	for i, name := range update.names {
		value, known := update.elems[i], merged.get(name)
		if (name == "name" || name == "description") && known != nil {
			for j, language := range value.names {
				known.set(language, value.elems[j])
			}
			continue
		}
		merged.set(name, value)
	}
	if after := merged.append(nil); string(after) != before {
		return after, nil
	}
	return old, nil
}
