package app

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"rollway/internal/access"
	"rollway/internal/fault"
	"rollway/internal/id"
	"rollway/internal/launch"
	"rollway/internal/web"
	"rollway/internal/web/clearxp"
	"rollway/internal/web/courseware"
	"rollway/internal/web/lrsapi"
	"rollway/xapi"
)

// The paths of probes, which know a server by its address.
const (
	healthz = "/healthz"
	readyz  = "/readyz"
)

// main is the first origin: the doors for integrators, dashboards, content and people.
func (h *House) main() http.Handler {
	mux := http.NewServeMux()
	web.Mount(mux, "", web.Readable, web.Routes{
		"GET " + healthz: web.Healthz,
		"GET " + readyz:  web.Readyz(h.DB.Ready),
	})
	pages := h.portal()
	(&clearxp.Door{
		Web:         h.door(true),
		Directory:   h.Directory,
		Credentials: h.Credentials,
		Launcher:    h.Launcher,
		Fail:        pages.Fail,
		Learner: func(ctx context.Context, header string) (access.Caller, error) {
			return h.Credentials.Authenticate(ctx, header, false)
		},
		Hub:   h.isHub,
		Enter: pages.Enter,
	}).Mount(mux)
	pages.Mount(mux)
	records := lrsapi.New(h.door(false), h.Records, h.personOf)
	return web.Under("/xapi/", records, h.dialect().Handler(mux))
}

// isHub tells whether an activity stands for our own pages.
func (h *House) isHub(activity string) bool {
	bare := strings.TrimSuffix(activity, "/")
	return bare == h.Config.PublicURL || bare != "" && bare == strings.TrimSuffix(h.Config.HubURL, "/")
}

// courseware is the second origin: files of packages and nothing else.
func (h *House) courseware() http.Handler {
	return courseware.New(h.Launcher, h.Content, launch.Addresses{Public: h.Config.PublicURL, Courseware: h.Config.CoursewareURL, SingleHost: h.Config.CoursewareSingleHost})
}

// door is what a door is handed. A token without a scheme is taken on /api only.
func (h *House) door(bare bool) web.Door {
	return web.Door{
		Authenticate: func(ctx context.Context, r *http.Request) (access.Caller, error) {
			return h.Credentials.Authenticate(ctx, r.Header.Get("Authorization"), bare)
		},
		OrgOf: func(string) id.OrgID { return id.DefaultOrg },
	}
}

// personOf answers /xapi/agents: everything we know an agent's person by, or what was asked for a stranger and for people
// whom the caller may not see, which look the same.
func (h *House) personOf(ctx context.Context, c access.Caller, agent xapi.Agent) (xapi.Person, error) {
	p, err := h.Directory.PersonOfAgent(ctx, c.Org, agent.IFI)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return xapi.Person{}, err
	}
	if err != nil || !maySee(c, p.ID) {
		p.Agents = []xapi.Agent{agent}
	}
	var known xapi.Person
	for _, a := range p.Agents {
		known.IFIs = append(known.IFIs, a.IFI)
		if a.Name != "" && !slices.Contains(known.Names, a.Name) {
			known.Names = append(known.Names, a.Name)
		}
	}
	return known, nil
}

// maySee tells whether a caller may learn what else a person is known by: a credential of a person's only of its own.
func maySee(c access.Caller, person id.PersonID) bool {
	if c.Bound != nil {
		return c.Bound.Person == person
	}
	return c.Scopes.Has(access.PeopleRead) || c.Scopes.Has(access.Profile) || c.Scopes.Has(access.AllRead)
}
