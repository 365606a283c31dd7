SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;
SET default_tablespace = '';
SET default_table_access_method = heap;
CREATE TABLE public.accounts (
    id integer NOT NULL,
    name character varying(60) NOT NULL,
    role character varying(10) NOT NULL,
    created_at timestamp without time zone NOT NULL,
    disabled_at timestamp without time zone,
    quota_bytes bigint
);
CREATE SEQUENCE public.accounts_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.accounts_id_seq OWNED BY public.accounts.id;
CREATE TABLE public.alembic_version (
    version_num character varying(32) NOT NULL
);
CREATE TABLE public.audit (
    id integer NOT NULL,
    at timestamp without time zone NOT NULL,
    account character varying(60) NOT NULL,
    action character varying(60) NOT NULL,
    subject character varying(120) NOT NULL,
    detail json NOT NULL,
    request_id character varying(64) NOT NULL,
    address character varying(64) NOT NULL
);
CREATE SEQUENCE public.audit_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.audit_id_seq OWNED BY public.audit.id;
CREATE TABLE public.collection_entries (
    collection_id integer NOT NULL,
    entry_id integer NOT NULL
);
CREATE TABLE public.collections (
    id integer NOT NULL,
    owner_id integer NOT NULL,
    name character varying(120) NOT NULL,
    about text NOT NULL,
    created_at timestamp without time zone NOT NULL
);
CREATE SEQUENCE public.collections_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.collections_id_seq OWNED BY public.collections.id;
CREATE TABLE public.entries (
    id integer NOT NULL,
    name character varying(120) NOT NULL,
    name_key character varying(400) NOT NULL,
    gear character varying(20),
    make character varying(120) NOT NULL,
    model character varying(120) NOT NULL,
    maker character varying(120) NOT NULL,
    about text NOT NULL,
    licence character varying(40) NOT NULL,
    owner_id integer NOT NULL,
    preset character varying(120),
    esr double precision,
    newest integer NOT NULL,
    created_at timestamp without time zone NOT NULL,
    updated_at timestamp without time zone NOT NULL
);
CREATE SEQUENCE public.entries_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.entries_id_seq OWNED BY public.entries.id;
CREATE TABLE public.entry_tags (
    entry_id integer NOT NULL,
    tag character varying(40) NOT NULL
);
CREATE TABLE public.entry_words (
    entry_id integer NOT NULL,
    named tsvector NOT NULL,
    called tsvector NOT NULL,
    words tsvector NOT NULL,
    facets tsvector NOT NULL
);
CREATE TABLE public.favourites (
    account_id integer NOT NULL,
    entry_id integer NOT NULL
);
CREATE TABLE public.invitations (
    id integer NOT NULL,
    account_id integer NOT NULL,
    sha256 character varying(64) NOT NULL,
    created_at timestamp without time zone NOT NULL,
    expires_at timestamp without time zone NOT NULL,
    used_at timestamp without time zone
);
CREATE SEQUENCE public.invitations_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.invitations_id_seq OWNED BY public.invitations.id;
CREATE TABLE public.jobs (
    id character varying(16) NOT NULL,
    owner_id integer NOT NULL,
    kind character varying(10) NOT NULL,
    state character varying(10) NOT NULL,
    title character varying(120) NOT NULL,
    priority character varying(10) NOT NULL,
    resource character varying(10) NOT NULL,
    "order" json NOT NULL,
    material_sha256 character varying(64),
    material_bytes bigint NOT NULL,
    result_sha256 character varying(64),
    result_bytes bigint NOT NULL,
    result_name character varying(120) NOT NULL,
    entry_id integer,
    progress json,
    findings json NOT NULL,
    error text,
    run integer NOT NULL,
    claim character varying(32),
    crashes integer NOT NULL,
    revision integer NOT NULL,
    request_id character varying(64) NOT NULL,
    created_at timestamp without time zone NOT NULL,
    started_at timestamp without time zone,
    ended_at timestamp without time zone,
    checkpoint_sha256 character varying(64),
    checkpoint_bytes bigint
);
CREATE TABLE public.sound_changes (
    id integer NOT NULL,
    number bigint NOT NULL
);
CREATE SEQUENCE public.sound_changes_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.sound_changes_id_seq OWNED BY public.sound_changes.id;
CREATE TABLE public.sounds (
    version_id integer NOT NULL,
    change bigint NOT NULL,
    kind integer NOT NULL,
    settings json NOT NULL,
    descriptors bytea NOT NULL,
    problem character varying(400) NOT NULL
);
CREATE TABLE public.tag_labels (
    account_id integer NOT NULL,
    entry_id integer NOT NULL,
    tag character varying(40) NOT NULL,
    is_right boolean NOT NULL,
    at timestamp without time zone NOT NULL
);
CREATE TABLE public.tokens (
    id integer NOT NULL,
    account_id integer NOT NULL,
    sha256 character varying(64) NOT NULL,
    created_at timestamp without time zone NOT NULL,
    name character varying(120) NOT NULL,
    scopes character varying(40) NOT NULL,
    expires_at timestamp without time zone,
    revoked_at timestamp without time zone,
    last_used_at timestamp without time zone
);
CREATE SEQUENCE public.tokens_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.tokens_id_seq OWNED BY public.tokens.id;
CREATE TABLE public.versions (
    id integer NOT NULL,
    entry_id integer NOT NULL,
    number integer NOT NULL,
    sha256 character varying(64) NOT NULL,
    bytes bigint NOT NULL,
    uploader_id integer NOT NULL,
    uploaded_at timestamp without time zone NOT NULL,
    note character varying(400) NOT NULL,
    facts json NOT NULL
);
CREATE SEQUENCE public.versions_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.versions_id_seq OWNED BY public.versions.id;
CREATE TABLE public.workers (
    id character varying(32) NOT NULL,
    queues character varying(40) NOT NULL,
    beat integer NOT NULL
);
ALTER TABLE ONLY public.accounts ALTER COLUMN id SET DEFAULT nextval('public.accounts_id_seq'::regclass);
ALTER TABLE ONLY public.audit ALTER COLUMN id SET DEFAULT nextval('public.audit_id_seq'::regclass);
ALTER TABLE ONLY public.collections ALTER COLUMN id SET DEFAULT nextval('public.collections_id_seq'::regclass);
ALTER TABLE ONLY public.entries ALTER COLUMN id SET DEFAULT nextval('public.entries_id_seq'::regclass);
ALTER TABLE ONLY public.invitations ALTER COLUMN id SET DEFAULT nextval('public.invitations_id_seq'::regclass);
ALTER TABLE ONLY public.sound_changes ALTER COLUMN id SET DEFAULT nextval('public.sound_changes_id_seq'::regclass);
ALTER TABLE ONLY public.tokens ALTER COLUMN id SET DEFAULT nextval('public.tokens_id_seq'::regclass);
ALTER TABLE ONLY public.versions ALTER COLUMN id SET DEFAULT nextval('public.versions_id_seq'::regclass);
INSERT INTO public.accounts VALUES (1, 'ann', 'member', '2026-11-27 20:36:52.107138', NULL, NULL);
INSERT INTO public.accounts VALUES (2, 'ben', 'admin', '2026-11-27 20:36:52.120143', NULL, NULL);
INSERT INTO public.alembic_version VALUES ('0005');
INSERT INTO public.audit VALUES (1, '2026-11-27 20:36:52.276865', 'ann', 'profile.add', 'profile 1', '{"sha256": "a66c7b009a9b14387aea460440dcf4ae6cd70d32dd0274679a0752ad9cd39edd"}', '', '');
INSERT INTO public.audit VALUES (2, '2026-11-27 20:36:52.38328', 'ann', 'profile.version', 'profile 1', '{"number": "2", "sha256": "b879fba07b19e794d86a0b22442e6ff2870a0e3f21f0841fad879c15a69b8b1e"}', '', '');
INSERT INTO public.audit VALUES (3, '2026-11-27 20:36:52.465156', 'ben', 'profile.add', 'profile 2', '{"sha256": "84cdf988a856558fb4816a58d329b08bbf63489d150976184710d357d9572a2b"}', '', '');
INSERT INTO public.audit VALUES (4, '2026-11-27 20:36:52.529621', 'ann', 'job.add', 'job cdc6a415fb6b59a8', '{"kind": "export"}', '', '');
INSERT INTO public.audit VALUES (5, '2026-11-27 20:36:54.349741', 'ann', 'job.add', 'job 5e6ac59eeae04068', '{"kind": "train"}', '', '');
INSERT INTO public.collection_entries VALUES (1, 1);
INSERT INTO public.collection_entries VALUES (1, 2);
INSERT INTO public.collections VALUES (1, 1, 'Stage', 'for Friday', '2026-11-27 20:36:52.479823');
INSERT INTO public.entries VALUES (1, 'Plexi', 'plexi', 'amp', 'Marshall', '1959', 'Ann', 'an ünusual amp, "quoted" & <b>bold</b>', 'cc-by', 1, NULL, 0.0002258232970652288, 2, '2026-11-27 20:36:52.24914', '2026-11-27 20:36:52.365082');
INSERT INTO public.entries VALUES (2, 'Leveller', 'leveller', NULL, '', '', '', '', 'all-rights-reserved', 2, NULL, 0.0002258232970652288, 1, '2026-11-27 20:36:52.448462', '2026-11-27 20:36:52.448462');
INSERT INTO public.entry_tags VALUES (1, 'crunch');
INSERT INTO public.entry_tags VALUES (1, 'live');
INSERT INTO public.entry_tags VALUES (2, 'smooth');
INSERT INTO public.entry_words VALUES (1, '''plexi''', '''1959'' ''amp'' ''bus'' ''compressor'' ''marshall'' ''plexi''', '''1959'' ''amp'' ''an'' ''ann'' ''b'' ''bold'' ''bus'' ''compressor'' ''crunch'' ''db'' ''live'' ''marshall'' ''plexi'' ''quoted'' ''ratio'' ''threshold'' ''unusual''', '''x0afbddb88751849abdde'' ''x1ab44946e26894d82a3d'' ''x22183c5409e9605e963b'' ''x43b3f34837898fa2133d'' ''x5146f0bd95e4e04ed831'' ''x5e848595b320f071c223'' ''x615ae76b1675c1dd1fd8'' ''xa3686d0bab1769601b89'' ''xa3fdb8f411f2c7f42d94'' ''xa887c8745cb18414ba1f'' ''xc0547b3626924b561080'' ''xcee31435b77cb7bcfb58'' ''xf899d3dc59e6e9c21512''');
INSERT INTO public.entry_words VALUES (2, '''leveller''', '''bus'' ''compressor'' ''leveller''', '''bus'' ''compressor'' ''db'' ''leveller'' ''ratio'' ''smooth'' ''threshold''', '''x199219d7ca73c5a60578'' ''x1ab44946e26894d82a3d'' ''x45abf7eee9950ac1ccd2'' ''x60352161b3c46f4c5777'' ''x615ae76b1675c1dd1fd8'' ''x97ba38dc4feac54cb2e6'' ''x9f320fcdd3fdfbd8d12e'' ''xa3686d0bab1769601b89'' ''xa7fa5d8b1405f31c6128'' ''xc0547b3626924b561080'' ''xcee31435b77cb7bcfb58''');
INSERT INTO public.favourites VALUES (2, 1);
INSERT INTO public.jobs VALUES ('cdc6a415fb6b59a8', 1, 'export', 'queued', 'Leveller', 'normal', 'cpu', '{"kind": "export", "profile_id": 2, "version": 1, "sha256": "84cdf988a856558fb4816a58d329b08bbf63489d150976184710d357d9572a2b", "settings": {}, "sizes": ["full"]}', NULL, 0, NULL, 0, '', NULL, NULL, '[]', NULL, 1, NULL, 0, 1, '', '2026-11-27 20:36:52.525724', NULL, NULL, NULL, NULL);
INSERT INTO public.jobs VALUES ('5e6ac59eeae04068', 1, 'train', 'running', 'Training', 'normal', 'cpu', '{"kind": "train", "budget_seconds": 300.0, "steps": null, "seed": 0, "light": true, "hold_out": [], "resource": "cpu", "version_of": null, "about": {"name": "", "gear": null, "make": "", "model": "", "maker": "", "tags": [], "about": "", "licence": "all-rights-reserved", "note": ""}}', '3cbc7966f4f2e554b3a9f3ca90e205f69e7168b1dad13a0966b4ebf73c869f8c', 45790, NULL, 0, '', NULL, NULL, '[]', NULL, 1, 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 0, 2, '', '2026-11-27 20:36:54.349087', '2026-11-27 20:36:54.355797', NULL, 'cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc', 12345);
INSERT INTO public.sound_changes VALUES (1, 3);
INSERT INTO public.sounds VALUES (2, 2, 1, '[{"threshold_db": -10.0}, {"threshold_db": -20.0}]', '\x6aba4cbdf3b3ba368b3c052f6cb847bafd398a3e5d34efbcabbb663e7e32eebe5bada7bc09b9cfb7b5b96d380aacb7b88e36a43a92be1cb4d9bb8ab128bd4c25d9a8dfb431bc57b65ebc6cbd313370bcae3cbc39febf5b3468bc3b289629f4bf78b318b4b23bbabce83965bc4db5b9bacc3d8c38dd402339c33aba3adab87bac673d58b60b326fa5e038d7b5e0b0c233982eebba2b3b32bdcebc21bdbc3bc5b5c5bb8bbcbd3638bc17bde938c9bc29b5ec9e20b7edaa5b3d23b80abd59bf8db2a3b53e346eb7a9b7c5b928b8213116b66e2e9b3faa374ebeef3e913588bb423b8524ecb811b9f3bb292a463c33b5bc36813fdcbc1f34e7b43dbc1abcd3a3f13641b8f62ac739bf34f33a6237cf374e3ffc382530ae395abb67b5593a0c39323e5d21d9bdca3f5f3c3cbc813d262841bfbab612b85d3e56ba0fb46eb410b650bb03334f3cfe386cbb99bc9d2fa7b90bb9b8becd3f553bcbbb443b5f3dc7c064b835b63039c6af60b379ab6a3f524033b869bb6341d7bb96b8af28bb371e3c4136fbba0d38ff33823faea359bd2ebccd3d52b835c0a5b8fd00c13c0fbc55395d3a98b901b2143fe23ed83a50358e3c80b016aee2bab21d40ad8c412cb2153d483df8b1ad3c5bc0132edc3accc0a3bc393c1db465bcfab557b8cc3943377cb453b9e5aa4d3d96351d39d2b02bbdb0b936399b2e3bbb79be152f6fb59cb545b58b34b634b23b6d3b543d733a5fb5f2aae837f7b465389d3c69ba15bfc63c8c24ab3954bdef3ee93909b0a2b54a2f56b176b47abc0d3d11a9c72cf22db7c0383844b5a1b4772cc8bbbf3a91b93bbbe6ba1531f739c3b80abe403c43bcc83cf3aa96b91fb964371d3b57b2933b2d40aab299bc38bc90bd1eb9cab94dbd3e3839c148bd0840273c2f385137153f4938f72cecbcb7acdfb9a6b9b7b9b7a946b5f83a4ebd6cb1703ffb28cb3c8c3c443de83986bd47b416b632be6cb700bdaabec03294a981b99bbb', '');
INSERT INTO public.sounds VALUES (3, 3, 1, '[{"threshold_db": -10.0}, {"threshold_db": -20.0}]', '\x55b84eb688b6bfaaf8b631362f38ba354eb9efb8f5364eb286a9fcc066c165354635933dc53918333024b5bd113bd4b8053867325b34243bd6b732b6d9ba09b6aa3ed0b5be3c9c3ad6396d3a0fbcfa355b3e91b908aa83b9123550bc703e08b62cbe2a3fc43b26384338bab525b3cb39573b763bcd3276b726b2703cc23d76b5a3b7fd3cca39943940bdfbb51fb8a732bdbe163dcd34f536bdbcc3a6573d47bee434973989b9853a48b5eb3c38382e330540a83a3c3dc2bc2cb9b13a3f3b22ab3d3a3cbcd83297bc7335c7b721b9352b453f0cbcd0b8453cc7b6143f1f33cd2db635f73e3e392238083440be15bbef3d933a0c38193959b8683535bb4336b7b9d8b241373bb52e394c37c0354c3de5bd63beee38873b06400d3aa43a11bb053a643939bc2cbb1baf9d34e4c1802c6333a9b145344b370cbca93605b491bbb132f33dd7bd9dbe9dbee93f06b49dab4bba86bb0ec074312734e8bf2cbcf4b9a8a6d033813c753d463c5e3daabc70b8933c9e34cb24eabf70bfd9397735bdb49cb6e8bef035233c923e4a2a89b262bce53cd43ee8b8a734ce2d97b8ffc0dbb5dc38c6bdb6ba91c2233d0138d22954b419b90badf7b4f3b354a80530323eccbd3134ffb88fbcbdc0db38ecbb14ba5c3760bc1c246fad563a013c04bb423bd5ae382f1fb3203ae4bc0034aa3cb3b40940f8b98532e2b708b981bc67b8f7ab81bafb3a0b3e28be993ab3317733e740c73c30358a3155c02e3afdb9a031402eaf3b1040de3b173d81b34b37273ac2bd1540b8b91cbd893e3d40a0b9e8b83942352ff0bfe6b801404639043ae63c683955b561be243777bc33ab093f53389d2b342cd9395f3b44bdef31dd3e093a1fba70b920c059ba6e3e73acd7ba9cb816afd2aeaab527ba1839273e8bb855b8c23cdbbdbbb80db65e3166b418bbf834c0bcf8be0ec0fd39f3be27375e39753a97b163b87c2dc0b825bd063d28bb2f3f1e3846b70137ec3c84bd', '');
INSERT INTO public.tag_labels VALUES (1, 2, 'live', false, '2026-11-27 20:36:52.492947');
INSERT INTO public.tokens VALUES (1, 1, 'e19db434de89ecc61a91cdbbd54e4db0b634068406bf601aa79b3c7433f949c9', '2026-11-27 20:36:52.130487', 'laptop', 'read write', NULL, NULL, NULL);
INSERT INTO public.versions VALUES (1, 1, 1, 'a66c7b009a9b14387aea460440dcf4ae6cd70d32dd0274679a0752ad9cd39edd', 45791, 1, '2026-11-27 20:36:52.24914', '', '{"name": "Plexi", "gear": "bus-compressor", "kind": "plugin", "knobs": [{"id": "threshold_db", "name": "threshold", "unit": "dB", "minimum": -36.0, "maximum": 0.0, "default": -18.0, "scale": "linear", "step": null, "choices": []}, {"id": "ratio", "name": "ratio", "unit": "", "minimum": 1.5, "maximum": 8.0, "default": 3.0, "scale": "log", "step": null, "choices": []}], "sample_rate": 48000, "latency_frames": 0, "oversampling": 1, "esr": 0.0002258232970652288, "esr_median": 0.0006545225818303972, "esr_worst": 0.0010129225069412558, "floor": null, "grade": "transparent", "light_esr": null, "multiply_adds": 3858, "steps": 20303, "audio_seconds": 13860.9, "limited_by": "budget", "findings": []}');
INSERT INTO public.versions VALUES (2, 1, 2, 'b879fba07b19e794d86a0b22442e6ff2870a0e3f21f0841fad879c15a69b8b1e', 45797, 1, '2026-11-27 20:36:52.365082', 'longer', '{"name": "Plexi longer", "gear": "bus-compressor", "kind": "plugin", "knobs": [{"id": "threshold_db", "name": "threshold", "unit": "dB", "minimum": -36.0, "maximum": 0.0, "default": -18.0, "scale": "linear", "step": null, "choices": []}, {"id": "ratio", "name": "ratio", "unit": "", "minimum": 1.5, "maximum": 8.0, "default": 3.0, "scale": "log", "step": null, "choices": []}], "sample_rate": 48000, "latency_frames": 0, "oversampling": 1, "esr": 0.0002258232970652288, "esr_median": 0.0006545225818303972, "esr_worst": 0.0010129225069412558, "floor": null, "grade": "transparent", "light_esr": null, "multiply_adds": 3858, "steps": 20303, "audio_seconds": 13860.9, "limited_by": "budget", "findings": []}');
INSERT INTO public.versions VALUES (3, 2, 1, '84cdf988a856558fb4816a58d329b08bbf63489d150976184710d357d9572a2b', 45793, 2, '2026-11-27 20:36:52.448462', '', '{"name": "Leveller", "gear": "bus-compressor", "kind": "plugin", "knobs": [{"id": "threshold_db", "name": "threshold", "unit": "dB", "minimum": -36.0, "maximum": 0.0, "default": -18.0, "scale": "linear", "step": null, "choices": []}, {"id": "ratio", "name": "ratio", "unit": "", "minimum": 1.5, "maximum": 8.0, "default": 3.0, "scale": "log", "step": null, "choices": []}], "sample_rate": 48000, "latency_frames": 0, "oversampling": 1, "esr": 0.0002258232970652288, "esr_median": 0.0006545225818303972, "esr_worst": 0.0010129225069412558, "floor": null, "grade": "transparent", "light_esr": null, "multiply_adds": 3858, "steps": 20303, "audio_seconds": 13860.9, "limited_by": "budget", "findings": []}');
SELECT pg_catalog.setval('public.accounts_id_seq', 2, true);
SELECT pg_catalog.setval('public.audit_id_seq', 5, true);
SELECT pg_catalog.setval('public.collections_id_seq', 1, true);
SELECT pg_catalog.setval('public.entries_id_seq', 2, true);
SELECT pg_catalog.setval('public.invitations_id_seq', 1, false);
SELECT pg_catalog.setval('public.sound_changes_id_seq', 1, false);
SELECT pg_catalog.setval('public.tokens_id_seq', 1, true);
SELECT pg_catalog.setval('public.versions_id_seq', 3, true);
ALTER TABLE ONLY public.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);
ALTER TABLE ONLY public.entry_words
    ADD CONSTRAINT entry_words_pkey PRIMARY KEY (entry_id);
ALTER TABLE ONLY public.accounts
    ADD CONSTRAINT pk_accounts PRIMARY KEY (id);
ALTER TABLE ONLY public.audit
    ADD CONSTRAINT pk_audit PRIMARY KEY (id);
ALTER TABLE ONLY public.collection_entries
    ADD CONSTRAINT pk_collection_entries PRIMARY KEY (collection_id, entry_id);
ALTER TABLE ONLY public.collections
    ADD CONSTRAINT pk_collections PRIMARY KEY (id);
ALTER TABLE ONLY public.entries
    ADD CONSTRAINT pk_entries PRIMARY KEY (id);
ALTER TABLE ONLY public.entry_tags
    ADD CONSTRAINT pk_entry_tags PRIMARY KEY (entry_id, tag);
ALTER TABLE ONLY public.favourites
    ADD CONSTRAINT pk_favourites PRIMARY KEY (account_id, entry_id);
ALTER TABLE ONLY public.invitations
    ADD CONSTRAINT pk_invitations PRIMARY KEY (id);
ALTER TABLE ONLY public.jobs
    ADD CONSTRAINT pk_jobs PRIMARY KEY (id);
ALTER TABLE ONLY public.sound_changes
    ADD CONSTRAINT pk_sound_changes PRIMARY KEY (id);
ALTER TABLE ONLY public.sounds
    ADD CONSTRAINT pk_sounds PRIMARY KEY (version_id);
ALTER TABLE ONLY public.tag_labels
    ADD CONSTRAINT pk_tag_labels PRIMARY KEY (account_id, entry_id, tag);
ALTER TABLE ONLY public.tokens
    ADD CONSTRAINT pk_tokens PRIMARY KEY (id);
ALTER TABLE ONLY public.versions
    ADD CONSTRAINT pk_versions PRIMARY KEY (id);
ALTER TABLE ONLY public.workers
    ADD CONSTRAINT pk_workers PRIMARY KEY (id);
ALTER TABLE ONLY public.accounts
    ADD CONSTRAINT uq_accounts_name UNIQUE (name);
ALTER TABLE ONLY public.collections
    ADD CONSTRAINT uq_collections_owner_id_name UNIQUE (owner_id, name);
ALTER TABLE ONLY public.entries
    ADD CONSTRAINT uq_entries_preset UNIQUE (preset);
ALTER TABLE ONLY public.invitations
    ADD CONSTRAINT uq_invitations_sha256 UNIQUE (sha256);
ALTER TABLE ONLY public.tokens
    ADD CONSTRAINT uq_tokens_sha256 UNIQUE (sha256);
ALTER TABLE ONLY public.versions
    ADD CONSTRAINT uq_versions_entry_id_number UNIQUE (entry_id, number);
ALTER TABLE ONLY public.versions
    ADD CONSTRAINT uq_versions_sha256 UNIQUE (sha256);
CREATE INDEX ix_collection_entries_entry_id ON public.collection_entries USING btree (entry_id);
CREATE INDEX ix_entries_esr_id ON public.entries USING btree (esr, id);
CREATE INDEX ix_entries_make ON public.entries USING btree (make);
CREATE INDEX ix_entries_name_key_id ON public.entries USING btree (name_key, id);
CREATE INDEX ix_entries_owner_id ON public.entries USING btree (owner_id);
CREATE INDEX ix_entries_updated_at_id ON public.entries USING btree (updated_at, id);
CREATE INDEX ix_entry_tags_tag ON public.entry_tags USING btree (tag);
CREATE INDEX ix_entry_words ON public.entry_words USING gin (named, called, words, facets) WITH (fastupdate=off);
CREATE INDEX ix_favourites_entry_id ON public.favourites USING btree (entry_id);
CREATE INDEX ix_invitations_account_id ON public.invitations USING btree (account_id);
CREATE INDEX ix_jobs_checkpoint_sha256 ON public.jobs USING btree (checkpoint_sha256);
CREATE INDEX ix_jobs_created_at ON public.jobs USING btree (created_at);
CREATE INDEX ix_jobs_entry_id ON public.jobs USING btree (entry_id);
CREATE INDEX ix_jobs_material_sha256 ON public.jobs USING btree (material_sha256);
CREATE INDEX ix_jobs_owner_id ON public.jobs USING btree (owner_id);
CREATE INDEX ix_jobs_result_sha256 ON public.jobs USING btree (result_sha256);
CREATE INDEX ix_jobs_state ON public.jobs USING btree (state);
CREATE INDEX ix_sounds_change ON public.sounds USING btree (change);
CREATE INDEX ix_tag_labels_entry_id ON public.tag_labels USING btree (entry_id);
CREATE INDEX ix_tokens_account_id ON public.tokens USING btree (account_id);
CREATE INDEX ix_versions_uploader_id ON public.versions USING btree (uploader_id);
ALTER TABLE ONLY public.entry_words
    ADD CONSTRAINT entry_words_entry_id_fkey1 FOREIGN KEY (entry_id) REFERENCES public.entries(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.collection_entries
    ADD CONSTRAINT fk_collection_entries_collection_id FOREIGN KEY (collection_id) REFERENCES public.collections(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.collection_entries
    ADD CONSTRAINT fk_collection_entries_entry_id FOREIGN KEY (entry_id) REFERENCES public.entries(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.collections
    ADD CONSTRAINT fk_collections_owner_id FOREIGN KEY (owner_id) REFERENCES public.accounts(id);
ALTER TABLE ONLY public.entries
    ADD CONSTRAINT fk_entries_owner_id FOREIGN KEY (owner_id) REFERENCES public.accounts(id);
ALTER TABLE ONLY public.entry_tags
    ADD CONSTRAINT fk_entry_tags_entry_id FOREIGN KEY (entry_id) REFERENCES public.entries(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.favourites
    ADD CONSTRAINT fk_favourites_account_id FOREIGN KEY (account_id) REFERENCES public.accounts(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.favourites
    ADD CONSTRAINT fk_favourites_entry_id FOREIGN KEY (entry_id) REFERENCES public.entries(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.invitations
    ADD CONSTRAINT fk_invitations_account_id FOREIGN KEY (account_id) REFERENCES public.accounts(id);
ALTER TABLE ONLY public.jobs
    ADD CONSTRAINT fk_jobs_entry_id FOREIGN KEY (entry_id) REFERENCES public.entries(id) ON DELETE SET NULL;
ALTER TABLE ONLY public.jobs
    ADD CONSTRAINT fk_jobs_owner_id FOREIGN KEY (owner_id) REFERENCES public.accounts(id);
ALTER TABLE ONLY public.sounds
    ADD CONSTRAINT fk_sounds_version_id FOREIGN KEY (version_id) REFERENCES public.versions(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.tag_labels
    ADD CONSTRAINT fk_tag_labels_account_id FOREIGN KEY (account_id) REFERENCES public.accounts(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.tag_labels
    ADD CONSTRAINT fk_tag_labels_entry_id FOREIGN KEY (entry_id) REFERENCES public.entries(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.tokens
    ADD CONSTRAINT fk_tokens_account_id FOREIGN KEY (account_id) REFERENCES public.accounts(id);
ALTER TABLE ONLY public.versions
    ADD CONSTRAINT fk_versions_entry_id FOREIGN KEY (entry_id) REFERENCES public.entries(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.versions
    ADD CONSTRAINT fk_versions_uploader_id FOREIGN KEY (uploader_id) REFERENCES public.accounts(id);
