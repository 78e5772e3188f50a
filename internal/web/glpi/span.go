package glpi

import (
	"fmt"
	"net/http"
	"regexp"
	"strconv"
)

// span is which things of a list are asked for: count of them after the first ones.
type span struct{ first, count int }

const (
	defaultSpan = 50
	maxSpan     = 1000
)

var ranges = regexp.MustCompile(`^([0-9]{1,9})-([0-9]{1,9})$`)

// span reads the parameter range, as in 0-49.
func (a *ask) span() (span, error) {
	text := a.text("range")
	if text == "" {
		return span{0, defaultSpan}, nil
	}
	m := ranges.FindStringSubmatch(text)
	if m == nil {
		return span{}, refuse(http.StatusBadRequest, codeError, "range must be in format : [start-end] with numeric values")
	}
	first, err := strconv.Atoi(m[1])
	if err != nil {
		return span{}, err
	}
	last, err := strconv.Atoi(m[2])
	if err != nil {
		return span{}, err
	}
	if last < first {
		return span{}, refuse(http.StatusBadRequest, codeError, "range must be in format : [start-end] with numeric values")
	}
	return span{first, min(last-first+1, maxSpan)}, nil
}

// of cuts the span out of a whole list.
func (s span) of(list []item) []item {
	first := min(s.first, len(list))
	return list[first:min(first+s.count, len(list))]
}

// check refuses a span that begins beyond the last thing.
func (s span) check(total int) error {
	if s.first > total {
		return refuse(http.StatusBadRequest, codeRange, fmt.Sprintf("Provided range exceed total count of data: %d", total))
	}
	return nil
}

// contentRange names the n things that were found, one at least.
func (s span) contentRange(n, total int) string {
	return fmt.Sprintf("%d-%d/%d", s.first, s.first+n-1, total)
}

// page answers a list: 206 when it is not the whole.
func (d *Door) page(a *ask, name string, list func(*Door, *ask, span) ([]item, int, error)) (answer, error) {
	found, total, s, err := d.found(a, list)
	if err != nil {
		return answer{}, err
	}
	out := answer{body: found, header: map[string]string{"Accept-Range": fmt.Sprintf("%s %d", name, maxSpan)}}
	if len(found) > 0 {
		out.header["Content-Range"] = s.contentRange(len(found), total)
	}
	if len(found) < total {
		out.status = http.StatusPartialContent
	}
	return out, nil
}

func (d *Door) found(a *ask, list func(*Door, *ask, span) ([]item, int, error)) (found []item, total int, s span, err error) {
	if list == nil {
		return nil, 0, s, refuse(http.StatusUnauthorized, codeRight, textRight)
	}
	if s, err = a.span(); err != nil {
		return nil, 0, s, err
	}
	if found, total, err = list(d, a, s); err != nil {
		return nil, 0, s, refusalOf(opRead, err)
	}
	if found == nil {
		found = []item{}
	}
	return found, total, s, s.check(total)
}

// search is /search/Itemtype: totals, and the things' names and ids under the numbers that GLPI gives these columns.
func (d *Door) search(a *ask) (answer, error) {
	if len(a.parts) < 2 {
		return answer{}, refuse(http.StatusBadRequest, codeMissing, "missing resource")
	}
	t := itemtypes[folded(a.parts[1])]
	if t == nil || len(a.parts) > 2 {
		return answer{}, errNoResource()
	}
	var err error
	if a.from, err = d.session(a); err != nil {
		return answer{}, err
	}
	if a.from.service != nil && !t.service {
		return answer{}, refuse(http.StatusUnauthorized, codeRight, textRight)
	}
	found, total, s, err := d.found(a, t.list)
	if err != nil {
		return answer{}, err
	}
	rows := make([]map[string]any, len(found))
	for i, f := range found {
		rows[i] = map[string]any{"1": f["name"], "2": f["id"]}
	}
	out := answer{body: map[string]any{"totalcount": total, "count": len(rows), "sort": 1, "order": "ASC", "data": rows}}
	if len(found) > 0 {
		out.body.(map[string]any)["content-range"] = s.contentRange(len(found), total)
	}
	if len(found) < total {
		out.status = http.StatusPartialContent
	}
	return out, nil
}
