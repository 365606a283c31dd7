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
    words tsvector NOT NULL
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
ALTER TABLE ONLY public.accounts ALTER COLUMN id SET DEFAULT nextval('public.accounts_id_seq'::regclass);
ALTER TABLE ONLY public.audit ALTER COLUMN id SET DEFAULT nextval('public.audit_id_seq'::regclass);
ALTER TABLE ONLY public.collections ALTER COLUMN id SET DEFAULT nextval('public.collections_id_seq'::regclass);
ALTER TABLE ONLY public.entries ALTER COLUMN id SET DEFAULT nextval('public.entries_id_seq'::regclass);
ALTER TABLE ONLY public.invitations ALTER COLUMN id SET DEFAULT nextval('public.invitations_id_seq'::regclass);
ALTER TABLE ONLY public.tokens ALTER COLUMN id SET DEFAULT nextval('public.tokens_id_seq'::regclass);
ALTER TABLE ONLY public.versions ALTER COLUMN id SET DEFAULT nextval('public.versions_id_seq'::regclass);
INSERT INTO public.accounts VALUES (1, 'ann', 'member', '2026-11-27 17:10:35.82441', NULL, NULL);
INSERT INTO public.accounts VALUES (2, 'ben', 'admin', '2026-11-27 17:10:35.825815', NULL, NULL);
INSERT INTO public.alembic_version VALUES ('0001');
INSERT INTO public.audit VALUES (1, '2026-11-27 17:10:36.081329', 'ann', 'profile.add', 'profile 1', '{"sha256": "72d8b3d7614239257875254f536c4f45450a10d023778660d04f06a8cd4d75ef"}', '', '');
INSERT INTO public.audit VALUES (2, '2026-11-27 17:10:36.335099', 'ann', 'profile.version', 'profile 1', '{"number": "2", "sha256": "fd3a82fa02453d35312d577f3f1eefcf7238291d9ed050654fe21e960afd7bc7"}', '', '');
INSERT INTO public.audit VALUES (3, '2026-11-27 17:10:36.626437', 'ben', 'profile.add', 'profile 2', '{"sha256": "f759297fc3dc92a1d7486fe42d68a8438afd221ddd409ae5314b405ea74cb613"}', '', '');
INSERT INTO public.audit VALUES (4, '2026-11-27 17:10:36.886955', 'ben', 'profile.add', 'profile 3', '{"sha256": "a1e3537d2eb7d4833df98e19fdaaa4b491896147422a6f70e75ceb1536e89428"}', '', '');
INSERT INTO public.audit VALUES (5, '2026-11-27 17:10:36.889529', 'ben', 'profile.remove', 'profile 3', '{"name": "Gone"}', '', '');
INSERT INTO public.collection_entries VALUES (1, 1);
INSERT INTO public.collection_entries VALUES (1, 2);
INSERT INTO public.collections VALUES (1, 1, 'Stage', 'for Friday', '2026-11-27 17:10:36.634762');
INSERT INTO public.entries VALUES (1, 'Plexi', 'plexi', 'amp', 'Marshall', '1959', 'Ann', 'an ünusual amp, "quoted" & <b>bold</b>', 'cc-by', 1, NULL, 0.002665924004889844, 2, '2026-11-27 17:10:36.07663', '2026-11-27 17:10:36.328715');
INSERT INTO public.entries VALUES (2, 'Leveller', 'leveller', NULL, '', '', '', '', 'all-rights-reserved', 2, NULL, 0.024167478313645595, 1, '2026-11-27 17:10:36.624398', '2026-11-27 17:10:36.624398');
INSERT INTO public.entry_tags VALUES (1, 'crunch');
INSERT INTO public.entry_tags VALUES (1, 'live');
INSERT INTO public.entry_tags VALUES (2, 'smooth');
INSERT INTO public.entry_words VALUES (1, '''1959'':3B ''amp'':5B,15C ''an'':13C ''ann'':8C ''b'':17C,19C ''bold'':18C ''crunch'':6C ''fuzz'':4B ''live'':7C ''marshall'':2B ''plexi'':1A ''quoted'':16C ''sustain'':9C,10C ''tone'':11C,12C ''unusual'':14C ''x0afbddb88751849abdde'':20 ''x22183c5409e9605e963b'':23 ''x3af0d2cf4c79564e70df'':32,33 ''x43b3f34837898fa2133d'':24 ''x5146f0bd95e4e04ed831'':22 ''x5e848595b320f071c223'':29 ''x615ae76b1675c1dd1fd8'':25 ''x68a5ef5807211071650f'':30,31 ''xa3686d0bab1769601b89'':27 ''xa3fdb8f411f2c7f42d94'':28 ''xa887c8745cb18414ba1f'':26 ''xf899d3dc59e6e9c21512'':21');
INSERT INTO public.entry_words VALUES (2, '''compressor'':3B ''db'':10C ''gain'':9C,11C ''leveller'':1A ''optical'':2B ''peak'':5C,7C ''reduction'':6C,8C ''smooth'':4C ''x199219d7ca73c5a60578'':19 ''x35f7a1d828d8e947418f'':20 ''x45abf7eee9950ac1ccd2'':12 ''x60352161b3c46f4c5777'':17 ''x615ae76b1675c1dd1fd8'':16 ''x746561320d75596b0d99'':18 ''x97ba38dc4feac54cb2e6'':13 ''x9f320fcdd3fdfbd8d12e'':15 ''xa531017c45f2fc439f68'':21 ''xa601fd3300515978ad98'':23 ''xa7fa5d8b1405f31c6128'':14 ''xb9a50e8b3fc72d17f218'':22');
INSERT INTO public.favourites VALUES (2, 1);
INSERT INTO public.invitations VALUES (1, 1, 'f4180f11afe03277c59d7d4f5aa1e8511e564956ceb14ed515b9a849ada0c951', '2026-11-27 17:10:35.827692', '2026-11-28 17:10:35.827692', '2026-11-27 17:10:35.828603');
INSERT INTO public.invitations VALUES (2, 2, '921e8ecf622383f8852c312c22604e4847187b8a3c6165b694c8e8398b0f88e4', '2026-11-27 17:10:35.831563', '2026-11-28 17:10:35.831563', NULL);
INSERT INTO public.tokens VALUES (1, 1, '773f012acad7a920933fe5d2330b4f6593959551d546979da8b1207e47e8152c', '2026-11-27 17:10:35.829821', 'laptop', 'read write', NULL, NULL, NULL);
INSERT INTO public.versions VALUES (1, 1, 1, '72d8b3d7614239257875254f536c4f45450a10d023778660d04f06a8cd4d75ef', 46141, 1, '2026-11-27 17:10:36.07663', '', '{"name": "bus-compressor", "gear": "bus-compressor", "kind": "plugin", "knobs": [{"id": "threshold_db", "name": "threshold", "unit": "dB", "minimum": -36.0, "maximum": 0.0, "default": -18.0, "scale": "linear", "step": null, "choices": []}, {"id": "ratio", "name": "ratio", "unit": "", "minimum": 1.5, "maximum": 8.0, "default": 3.0, "scale": "log", "step": null, "choices": []}], "sample_rate": 48000, "latency_frames": 0, "oversampling": 1, "esr": 0.0002258232970652288, "esr_median": 0.0006545225818303972, "esr_worst": 0.0010129225069412558, "floor": null, "grade": "transparent", "light_esr": null, "multiply_adds": 3858, "steps": 20303, "audio_seconds": 13860.9, "limited_by": "budget", "findings": []}');
INSERT INTO public.versions VALUES (2, 1, 2, 'fd3a82fa02453d35312d577f3f1eefcf7238291d9ed050654fe21e960afd7bc7', 190451, 1, '2026-11-27 17:10:36.328715', 'longer', '{"name": "fuzz", "gear": "fuzz", "kind": "plugin", "knobs": [{"id": "sustain", "name": "Sustain", "unit": "", "minimum": 0.0, "maximum": 10.0, "default": 6.0, "scale": "linear", "step": null, "choices": []}, {"id": "tone", "name": "Tone", "unit": "", "minimum": 0.0, "maximum": 10.0, "default": 5.0, "scale": "linear", "step": null, "choices": []}], "sample_rate": 48000, "latency_frames": 0, "oversampling": 4, "esr": 0.002665924004889844, "esr_median": 0.003625632014442054, "esr_worst": 0.00415574398372288, "floor": null, "grade": "transparent", "light_esr": 0.008566090956614258, "multiply_adds": 46848, "steps": 7189, "audio_seconds": 2453.8, "limited_by": "budget", "findings": []}');
INSERT INTO public.versions VALUES (3, 2, 1, 'f759297fc3dc92a1d7486fe42d68a8438afd221ddd409ae5314b405ea74cb613', 45996, 2, '2026-11-27 17:10:36.624398', '', '{"name": "optical-compressor", "gear": "optical-compressor", "kind": "plugin", "knobs": [{"id": "peak_reduction", "name": "Peak Reduction", "unit": "", "minimum": 20.0, "maximum": 90.0, "default": 60.0, "scale": "linear", "step": null, "choices": []}, {"id": "gain_db", "name": "Gain", "unit": "dB", "minimum": 0.0, "maximum": 9.0, "default": 6.0, "scale": "linear", "step": null, "choices": []}], "sample_rate": 48000, "latency_frames": 0, "oversampling": 1, "esr": 0.024167478313645595, "esr_median": 0.011814939933695201, "esr_worst": 0.029923514069277533, "floor": null, "grade": "usable", "light_esr": null, "multiply_adds": 3858, "steps": 15383, "audio_seconds": 10509.7, "limited_by": "capacity", "findings": []}');
SELECT pg_catalog.setval('public.accounts_id_seq', 3, false);
SELECT pg_catalog.setval('public.audit_id_seq', 6, false);
SELECT pg_catalog.setval('public.collections_id_seq', 2, false);
SELECT pg_catalog.setval('public.entries_id_seq', 3, false);
SELECT pg_catalog.setval('public.invitations_id_seq', 3, false);
SELECT pg_catalog.setval('public.tokens_id_seq', 2, false);
SELECT pg_catalog.setval('public.versions_id_seq', 4, false);
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
ALTER TABLE ONLY public.tokens
    ADD CONSTRAINT pk_tokens PRIMARY KEY (id);
ALTER TABLE ONLY public.versions
    ADD CONSTRAINT pk_versions PRIMARY KEY (id);
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
CREATE INDEX ix_entry_words_words ON public.entry_words USING gin (words) WITH (fastupdate=off);
CREATE INDEX ix_favourites_entry_id ON public.favourites USING btree (entry_id);
CREATE INDEX ix_invitations_account_id ON public.invitations USING btree (account_id);
CREATE INDEX ix_tokens_account_id ON public.tokens USING btree (account_id);
CREATE INDEX ix_versions_uploader_id ON public.versions USING btree (uploader_id);
ALTER TABLE ONLY public.entry_words
    ADD CONSTRAINT entry_words_entry_id_fkey FOREIGN KEY (entry_id) REFERENCES public.entries(id) ON DELETE CASCADE;
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
ALTER TABLE ONLY public.tokens
    ADD CONSTRAINT fk_tokens_account_id FOREIGN KEY (account_id) REFERENCES public.accounts(id);
ALTER TABLE ONLY public.versions
    ADD CONSTRAINT fk_versions_entry_id FOREIGN KEY (entry_id) REFERENCES public.entries(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.versions
    ADD CONSTRAINT fk_versions_uploader_id FOREIGN KEY (uploader_id) REFERENCES public.accounts(id);
