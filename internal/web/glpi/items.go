package glpi

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"rollway/internal/fault"
)

// maxItems is how many items one request may bring.
const maxItems = 10

// item is a thing as it is answered: fields by name.
type item map[string]any

// items answers requests whose path begins with an itemtype.
func (d *Door) items(a *ask) (answer, error) {
	t := itemtypes[folded(a.parts[0])]
	if t == nil || len(a.parts) > 3 {
		return answer{}, errNoResource()
	}
	a.Pattern = Base + "/" + t.name
	if len(a.parts) == 3 && t.below[folded(a.parts[2])] == nil {
		return answer{}, errNoResource()
	}
	reads := a.Method != http.MethodPost && a.Method != http.MethodPut && a.Method != http.MethodPatch && a.Method != http.MethodDelete
	var err error
	if a.from, err = d.session(a); err != nil && !(reads && t.open && a.text("session_token") == "") {
		return answer{}, err
	}
	if a.ignored {
		return answer{}, refuse(http.StatusBadRequest, codeBadArray, textBadArray)
	}
	switch a.Method {
	case http.MethodPost:
		return d.create(a, t)
	case http.MethodPut, http.MethodPatch:
		return d.update(a, t)
	case http.MethodDelete:
		return d.remove(a, t)
	}
	return d.read(a, t)
}

func errNoResource() error {
	return refuse(http.StatusBadRequest, codeNotFound, "resource not found or not an instance of CommonDBTM")
}

func (d *Door) read(a *ask, t *itemtype) (answer, error) {
	if a.from.service != nil && !t.service {
		return answer{}, refuse(http.StatusUnauthorized, codeRight, textRight)
	}
	if len(a.parts) == 1 {
		return d.page(a, t.name, t.list)
	}
	number, ok := numberOf(a.parts[1])
	if !ok {
		return answer{}, errNoItem()
	}
	if len(a.parts) == 3 {
		return d.page(a, itemtypes[folded(a.parts[2])].name, func(d *Door, a *ask, s span) ([]item, int, error) {
			return t.below[folded(a.parts[2])](d, a, number, s)
		})
	}
	if t.get == nil {
		return answer{}, refuse(http.StatusUnauthorized, codeRight, textRight)
	}
	got, err := t.get(d, a, number)
	if err != nil {
		return answer{}, refusalOf(opRead, err)
	}
	return got, nil
}

func errNoItem() error { return refuse(http.StatusNotFound, codeItem, textItem) }

// bulk is the outcome of several items.
type bulk struct {
	op      op
	results []map[string]any
	done    []int64
	refused *refusal // the last one, or the first that is our own failure
}

func (b *bulk) note(id any, number int64, err *refusal) {
	result := map[string]any{"message": ""}
	if err != nil {
		if b.refused == nil || !b.refused.ours() {
			b.refused = err
		}
		result["message"] = plainText(err.text)
	} else {
		b.done = append(b.done, number)
	}
	if b.op == opAdd {
		result["id"] = id
	} else {
		result[fmt.Sprint(id)] = err == nil
	}
	b.results = append(b.results, result)
}

// err is nil when all went well, otherwise the dialect's word for some or all refused.
func (b *bulk) err() error {
	if b.refused == nil && len(b.results) > 0 {
		return nil
	}
	all := refuse(http.StatusBadRequest, b.op.code(), "")
	if len(b.done) > 0 {
		all = refuse(http.StatusMultiStatus, strings.Replace(b.op.code(), "ERROR_GLPI_", "ERROR_GLPI_PARTIAL_", 1), "")
	}
	all.results = b.results
	if all.results == nil {
		all.results = []map[string]any{}
	}
	if b.refused != nil {
		all.cause, all.retry = b.refused.cause, b.refused.retry
	}
	return all
}

// create is POST of one item or a list.
func (d *Door) create(a *ask, t *itemtype) (answer, error) {
	add := t.add
	if add == nil || a.from.service == nil {
		add = func(*Door, *ask, map[string]any) (int64, error) { return 0, errRight() }
	}
	inputs, many, err := a.inputs(t.name == "PluginFlyvemdmdemoCaptcha")
	if err != nil {
		return answer{}, err
	}
	out := answer{status: d.createdStatus(a), header: map[string]string{}}
	if !many {
		number, err := add(d, a, inputs[0])
		if err != nil {
			return answer{}, refusalOf(opAdd, err)
		}
		out.header["Location"] = d.url(a, t.name, number)
		out.body = item{"id": number, "message": ""}
		return out, nil
	}
	b := bulk{op: opAdd}
	var links []string
	for _, input := range inputs {
		number, err := add(d, a, input)
		switch f := refusalOf(opAdd, err); {
		case err == nil:
			b.note(number, number, nil)
			links = append(links, d.url(a, t.name, number))
		case f.ours() && len(b.done) == 0:
			return answer{}, f
		default: // also when we failed after some were made: what was made must be told
			b.note(false, 0, f)
		}
	}
	if err := b.err(); err != nil {
		return answer{}, err
	}
	out.header["Link"] = strings.Join(links, ",")
	out.body = b.results
	return out, nil
}

func (d *Door) createdStatus(a *ask) int {
	switch {
	case d.Config.CreatedStatus != 0:
		return d.Config.CreatedStatus
	case a.inQuery:
		return http.StatusOK
	}
	return http.StatusCreated
}

func (d *Door) url(a *ask, itemtype string, number int64) string {
	return d.Public + a.base + "/" + itemtype + "/" + strconv.FormatInt(number, 10)
}

// update is PUT of one item, whose id stands in the path or in the input, or of a list.
func (d *Door) update(a *ask, t *itemtype) (answer, error) {
	change := t.change
	if change == nil || a.from.service == nil {
		change = func(*Door, *ask, int64, map[string]any) error { return errRight() }
	}
	return d.each(a, opUpdate, change)
}

// remove is DELETE: nothing here can be removed, whatever is asked for.
func (d *Door) remove(a *ask, _ *itemtype) (answer, error) {
	return d.each(a, opDelete, func(*Door, *ask, int64, map[string]any) error { return errRight() })
}

func (d *Door) each(a *ask, op op, do func(*Door, *ask, int64, map[string]any) error) (answer, error) {
	inputs, many, err := a.inputs(op == opDelete)
	if err != nil {
		return answer{}, err
	}
	for _, input := range inputs { // before anything is done
		if _, named := input["id"]; !named && len(a.parts) < 2 {
			return answer{}, refuse(http.StatusBadRequest, codeBadArray, textBadArray+" with an id")
		}
	}
	b := bulk{op: op}
	for _, input := range inputs {
		number, asked, err := a.number(input)
		if err == nil {
			err = do(d, a, number, input)
		}
		f := refusalOf(op, err)
		switch {
		case err == nil:
			f = nil
		case !many || f.ours() && len(b.done) == 0:
			return answer{}, f
		}
		b.note(asked, number, f)
	}
	if err := b.err(); err != nil {
		return answer{}, err
	}
	return answer{body: b.results}, nil
}

// number is the id of the item that an input is about, and as the client wrote it. The path and the input, of which one has
// it, must agree.
func (a *ask) number(input map[string]any) (number int64, asked string, err error) {
	var said []string
	if len(a.parts) > 1 {
		said = append(said, a.parts[1])
	}
	if v, ok := input["id"]; ok {
		said = append(said, textOf(v))
	}
	number, ok := numberOf(said[0])
	if !ok {
		return 0, said[0], fault.New(fault.NotFound, "item_unknown", textItem)
	}
	if n, ok := numberOf(said[len(said)-1]); !ok || n != number {
		return number, said[0], fault.New(fault.Invalid, "ids_differ", "The id in the address is not the one in the input")
	}
	return number, strconv.FormatInt(number, 10), nil
}

// inputs reads the member input: an object, or a list of them. With blank, nothing and everything counts as an object.
func (a *ask) inputs(blank bool) (inputs []map[string]any, many bool, err error) {
	bad := refuse(http.StatusBadRequest, codeBadArray, textBadArray)
	switch v := a.values["input"].(type) {
	case map[string]any:
		return []map[string]any{v}, false, nil
	case []any:
		if len(v) == 0 && blank {
			break
		}
		if len(v) > maxItems {
			return nil, true, refuse(http.StatusBadRequest, codeBadArray, fmt.Sprintf("input parameter has more than %d objects", maxItems))
		}
		for _, one := range v {
			object, ok := one.(map[string]any)
			if !ok {
				return nil, true, bad
			}
			inputs = append(inputs, object)
		}
		return inputs, true, nil
	}
	if blank {
		return []map[string]any{{}}, false, nil
	}
	return nil, false, bad
}
