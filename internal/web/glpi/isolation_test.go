package glpi

import (
	"fmt"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"rollway/internal/access"
)

// TestIsolation asks for everything that can be read, with every number there is, on behalf of everybody, and looks for what
// belongs to others in all answers.
func TestIsolation(t *testing.T) {
	each(t, func(w *world) {
		owners := []string{"ann@mark-a.example", "bob@mark-b.example"}
		sessions := map[string]string{"nobody": "X-None: ", "unknown": "Session-Token: x"}
		numbers := []string{"0", "-1", "1", "2", "3", "x", "99999999999999999999"}
		for _, o := range owners {
			w.signUp(o)
			sessions[o] = "Session-Token: " + w.person(o)
			for _, path := range []string{"/User", "/Entity", "/PluginFlyvemdmFleet", "/UserEmail"} {
				var list []item
				w.must(json.Unmarshal([]byte(w.want(200, "[…]", "GET", path, "", sessions[o]).text), &list))
				for _, i := range list {
					numbers = append(numbers, textOf(i["id"]))
				}
			}
		}
		sessions["service"] = "Session-Token: " + w.service()
		numbers = append(numbers, w.captcha(sessions["service"]))
		asked, own := 0, 0
		for who, s := range sessions {
			for _, path := range readable(numbers) {
				r := w.ask("GET", Base+path, "", s)
				asked++
				for _, o := range owners {
					_, mark, _ := strings.Cut(o, "@")
					if seen := strings.Contains(r.text, mark); seen && o != who {
						w.Errorf("%s sees of %s at %s: %s", who, o, path, r.text)
					} else if seen {
						own++
					}
				}
				if r.status >= 500 || r.status >= 300 && !strings.HasPrefix(r.text, `["ERROR`) {
					w.Errorf("%s: %s answers %d %s", who, path, r.status, r.text)
				}
			}
		}
		if own < 20 {
			w.Errorf("only %d answers tell people of themselves", own)
		}
		t.Logf("proof: %s: %d answers to %d callers tell nobody of others", t.Name(), asked, len(sessions))
	})
}

// readable are all paths that can be read: of every endpoint but those that act, and of every itemtype, with every number.
func readable(numbers []string) (paths []string) {
	for name, e := range endpoints {
		if !e.acts {
			paths = append(paths, "/"+name)
		}
	}
	for name, i := range itemtypes {
		paths = append(paths, "/"+name, "/search/"+name)
		for _, n := range numbers {
			paths = append(paths, "/"+name+"/"+n, "/"+name+"?id="+n+"&entities_id="+n)
			for below := range i.below {
				paths = append(paths, "/"+name+"/"+n+"/"+below)
			}
		}
	}
	return paths
}

// TestSuspended: whose trial is over, or who is suspended otherwise, opens no session and has none.
func TestSuspended(t *testing.T) {
	each(t, func(w *world) {
		w.signUp("pam@example.org")
		s := "Session-Token: " + w.person("pam@example.org")
		org := fmt.Sprint(w.member(w.want(200, "{…}", "GET", "/getFullSession", "", s), "session").(map[string]any)["glpiactive_entity"])
		operator := access.CommandLine(0)
		if _, err := fmt.Sscan(org, &operator.Org); err != nil {
			t.Fatal(err)
		}
		_, err := w.Directory.Suspend(t.Context(), operator, "pam@example.org")
		w.must(err)
		w.want(401, `["ERROR_SESSION_TOKEN_INVALID","session_token seems invalid"]`, "GET", "/getFullSession", "", s)
		w.want(401, `["ERROR_GLPI_LOGIN","…"]`, "GET", "/initSession", "", w.basic("pam@example.org", password))
		w.want(401, `["ERROR_GLPI_LOGIN","Incorrect username or password"]`, "GET", "/initSession", "", w.basic("pam@example.org", "wrong"))
		_, err = w.Directory.Resume(t.Context(), operator, "pam@example.org")
		w.must(err)
		w.person("pam@example.org")
	})
}
