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
    ended_at timestamp without time zone
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
INSERT INTO public.accounts VALUES (1, 'ann', 'member', '2026-11-27 18:12:09.151503', NULL, NULL);
INSERT INTO public.accounts VALUES (2, 'ben', 'admin', '2026-11-27 18:12:09.161215', NULL, NULL);
INSERT INTO public.alembic_version VALUES ('0003');
INSERT INTO public.audit VALUES (1, '2026-11-27 18:12:09.655392', 'ann', 'profile.add', 'profile 1', '{"sha256": "646c7110216115c1084b15cc616fc0a41b141e0ba27581d5fc22f685321f80c3"}', '', '');
INSERT INTO public.audit VALUES (2, '2026-11-27 18:12:10.037361', 'ann', 'profile.version', 'profile 1', '{"number": "2", "sha256": "58be593cc67dab7f80ccde64667d4840e6eff63feb413e510d9a29798e1b78c1"}', '', '');
INSERT INTO public.audit VALUES (3, '2026-11-27 18:12:10.347612', 'ben', 'profile.add', 'profile 2', '{"sha256": "d9fc0fb69f5612f28f7eb3a443af37f17440d80bb527e80a4e7082c23216fbab"}', '', '');
INSERT INTO public.audit VALUES (4, '2026-11-27 18:12:10.407607', 'ann', 'job.add', 'job d2eea38b49d752dd', '{"kind": "export"}', '', '');
INSERT INTO public.collection_entries VALUES (1, 1);
INSERT INTO public.collection_entries VALUES (1, 2);
INSERT INTO public.collections VALUES (1, 1, 'Stage', 'for Friday', '2026-11-27 18:12:10.352349');
INSERT INTO public.entries VALUES (1, 'Plexi', 'plexi', 'amp', 'Marshall', '1959', 'Ann', 'an ünusual amp, "quoted" & <b>bold</b>', 'cc-by', 1, NULL, 0.0002258232970652288, 2, '2026-11-27 18:12:09.621768', '2026-11-27 18:12:10.03049');
INSERT INTO public.entries VALUES (2, 'Leveller', 'leveller', NULL, '', '', '', '', 'all-rights-reserved', 2, NULL, 0.0002258232970652288, 1, '2026-11-27 18:12:10.342209', '2026-11-27 18:12:10.342209');
INSERT INTO public.entry_tags VALUES (1, 'crunch');
INSERT INTO public.entry_tags VALUES (1, 'live');
INSERT INTO public.entry_tags VALUES (2, 'smooth');
INSERT INTO public.entry_words VALUES (1, '''1959'':3B ''amp'':6B,17C ''an'':15C ''ann'':9C ''b'':19C,21C ''bold'':20C ''bus'':4B ''compressor'':5B ''crunch'':7C ''db'':11C ''live'':8C ''marshall'':2B ''plexi'':1A ''quoted'':18C ''ratio'':13C,14C ''threshold'':10C,12C ''unusual'':16C ''x0afbddb88751849abdde'':22 ''x1ab44946e26894d82a3d'':34 ''x22183c5409e9605e963b'':25 ''x43b3f34837898fa2133d'':26 ''x5146f0bd95e4e04ed831'':24 ''x5e848595b320f071c223'':31 ''x615ae76b1675c1dd1fd8'':27 ''xa3686d0bab1769601b89'':29 ''xa3fdb8f411f2c7f42d94'':30 ''xa887c8745cb18414ba1f'':28 ''xc0547b3626924b561080'':33 ''xcee31435b77cb7bcfb58'':32 ''xf899d3dc59e6e9c21512'':23');
INSERT INTO public.entry_words VALUES (2, '''bus'':2B ''compressor'':3B ''db'':6C ''leveller'':1A ''ratio'':8C,9C ''smooth'':4C ''threshold'':5C,7C ''x199219d7ca73c5a60578'':17 ''x1ab44946e26894d82a3d'':20 ''x45abf7eee9950ac1ccd2'':10 ''x60352161b3c46f4c5777'':15 ''x615ae76b1675c1dd1fd8'':14 ''x97ba38dc4feac54cb2e6'':11 ''x9f320fcdd3fdfbd8d12e'':13 ''xa3686d0bab1769601b89'':16 ''xa7fa5d8b1405f31c6128'':12 ''xc0547b3626924b561080'':19 ''xcee31435b77cb7bcfb58'':18');
INSERT INTO public.favourites VALUES (2, 1);
INSERT INTO public.jobs VALUES ('d2eea38b49d752dd', 1, 'export', 'queued', 'Leveller', 'normal', 'cpu', '{"kind": "export", "profile_id": 2, "version": 1, "sha256": "d9fc0fb69f5612f28f7eb3a443af37f17440d80bb527e80a4e7082c23216fbab", "settings": {}, "sizes": ["full"]}', NULL, 0, NULL, 0, '', NULL, NULL, '[]', NULL, 1, NULL, 0, 1, '', '2026-11-27 18:12:10.399842', NULL, NULL);
INSERT INTO public.sound_changes VALUES (1, 3);
INSERT INTO public.sounds VALUES (2, 2, 1, '[{"threshold_db": -10.0}, {"threshold_db": -20.0}]', '\x8835933a493536bd3e3b24374cb8a638d535b53447276038e4b937b1b7b7ca381629aeb441ba1db42b2069b42d3d073c6cc18ebf98b1c1b6d632f4323c4073bc0bb616402c394e391db898be5c31fa2ee9bc77b99cac8fbb4aae1c2e8e280db8c038213b22358cbada3903b8093b4abc513b23a5ffbc06b5ed2a5d34dcbb6ebc633278b78933133a98be1234e63cc3b47dba053a0e342b3b86b5edbd0aaf22b7343a323286bec8bc123b70391fb94c9421377f37033b1b3412ae24b4393c80c070b03928b4bd533536b9e63a05b05a39e03c203601bb0fbe033f1faf82b99e3020b2d13a58280a23b7b9833723bc5439193e19beefc0ef38194101bc01bdb638baba0cb892b542387cb67234a6b1c2ba1eb59abbac1e7fbc5fbcd43dcfaae6aa1838bcb650b3cd368534a3bcab3ab9b839bc34bb40b6823eb4bc1f3147c06b96323b93b309b969339a394f39e43fb132bdb808b0a4acf62eb0a79131afbea33a99b8b1bc1a39453de337283175bbbe410b3b8fbc3dba912d38be653158b7e83cb23b6cc1572978be703c6131633843bc503f0a4042bcf73563b909a610bd783fc1bbbdb403382eb9a8b382b845b0afbc02b79fb257b5422bb1b4073a2cb55fb051b936b80fbd263892bcf8b9bf35713667b60ac0ba362734a6bd2a3a9cb981bc202eb6b17c326cbe403fd2b829bef338adb533356fb5a6abdd33f9b96e3985b7f5baee2c1f3755b3e6baf5380bbf20bc0f2972bd2b2706ab313b51bb02b95535eac0334297b9d7b9e43a19a91ebf0439d83a33b781b4c73745bb0437613266b992bd38b301bb013c9c30423a4f30353444ba5839243ff4b4beb80db1b3b79db96c30a8b4c13d9c0a2f359e3bd0b4bf3d10b977badcb558af9bbd7ea8acbe923d2fad23b944bb27b623b32ebc5cbbfdb12bb8843b8d3c1a24943757bd1939d4a7c137673e90c02d3465bcbd3841bdedb77d32e838c92c58ba6eb8133ba29dbcbec03aa936', '');
INSERT INTO public.sounds VALUES (3, 3, 1, '[{"threshold_db": -10.0}, {"threshold_db": -20.0}]', '\xfd3a63b5a03a3fbc8f38d9b76539063ce3b98faafc28c23caf39e1bc5237f6393f40b7be4ab8553d6cbdccbc2338133c59b952387c2f133e3896ec3b3abbebb130ae8e3ca33804ba75392a3a25af1fb434b2c8be0a328233edbaf1397ebd6ab89ab7f33f66be8038893b0b36ba3c03bc8fc0223ac9bc39b5b7bc363cec3ac3b93a3bc32f76b0592b7db2ec38f73497b5063ce4b89734c136ea3d0bb8f93ea33135b261b9b138442a6abc83bc72b868b95c3c813df33aba35dab6f92a143b43404e3b7db4de28b9b742bae5b14232583fa92a6e3d123f0b2d6e3eb839aeb63e34db256fb35cb29d30f23614bbcea017be2c34fd383f319334b83852b9a6b31638023c52361b41d9adff3b113d48b090babbbc3131713c5934883111b67d3846c0703333277bbd5a408dbd4fbccebc713c1bbb5939b33828343bbde6b8b13e2abda7ba31b1793a0734f03945bc8f3b8d3861be293e964026ba202b973dedbdf6bf30bd89b8a1b8dc384c34fcbc8a387f3fca3cee3b2a25de3bbbbb023a95ad863c75375cbc1930df3c84bc79b826bafcbdb13b3e3d663ac333a9aaa933dab9273b2f3c763b3fb8052d4eb1283fc03187bf6036873f7b39093b9e28e3bf3ebffcbc0fb0f634843973b5a83b7ab4a3b9d03a51bb75c13dbc072e29c2b7b550b5b5bdeebd66b760b80a3dff3553bed6baa439953f2f36f934713fcea5f2b4a7bd1bb85c40b0bdbb21a2bd1c301a3bccb3d839c4392737dd3e3b3ae1b472b9c3ba9d372eb575415f3fddb244b5c33e89bf3ab79b3b4cbba1b79eb5493967306f36c338aa27713cd5b9bfbd1cbf7cbe67b81f3c9331cab848bc3bb875b685b8bbbd9db7123c59c0b3b33ec0dc31fbb92cc0722e453ff82ea63c94ac51c0d937b1b6d9bd473a973434b8f23afaba263986bb463867bcf53d1234bb3d94ba9eb7b83a7dc144bc223c7137d53bf5b48338d9b97dbdc7be6ab864b809b919c3ffbf43b89834a1b804bb', '');
INSERT INTO public.tag_labels VALUES (1, 2, 'live', false, '2026-11-27 18:12:10.376113');
INSERT INTO public.tokens VALUES (1, 1, '845756f092d745f87ecb9c1380f1e3c70e3da48bb8e51e0504238675b1294f28', '2026-11-27 18:12:09.162716', 'laptop', 'read write', NULL, NULL, NULL);
INSERT INTO public.versions VALUES (1, 1, 1, '646c7110216115c1084b15cc616fc0a41b141e0ba27581d5fc22f685321f80c3', 45791, 1, '2026-11-27 18:12:09.621768', '', '{"name": "Plexi", "gear": "bus-compressor", "kind": "plugin", "knobs": [{"id": "threshold_db", "name": "threshold", "unit": "dB", "minimum": -36.0, "maximum": 0.0, "default": -18.0, "scale": "linear", "step": null, "choices": []}, {"id": "ratio", "name": "ratio", "unit": "", "minimum": 1.5, "maximum": 8.0, "default": 3.0, "scale": "log", "step": null, "choices": []}], "sample_rate": 48000, "latency_frames": 0, "oversampling": 1, "esr": 0.0002258232970652288, "esr_median": 0.0006545225818303972, "esr_worst": 0.0010129225069412558, "floor": null, "grade": "transparent", "light_esr": null, "multiply_adds": 3858, "steps": 20303, "audio_seconds": 13860.9, "limited_by": "budget", "findings": []}');
INSERT INTO public.versions VALUES (2, 1, 2, '58be593cc67dab7f80ccde64667d4840e6eff63feb413e510d9a29798e1b78c1', 45797, 1, '2026-11-27 18:12:10.03049', 'longer', '{"name": "Plexi longer", "gear": "bus-compressor", "kind": "plugin", "knobs": [{"id": "threshold_db", "name": "threshold", "unit": "dB", "minimum": -36.0, "maximum": 0.0, "default": -18.0, "scale": "linear", "step": null, "choices": []}, {"id": "ratio", "name": "ratio", "unit": "", "minimum": 1.5, "maximum": 8.0, "default": 3.0, "scale": "log", "step": null, "choices": []}], "sample_rate": 48000, "latency_frames": 0, "oversampling": 1, "esr": 0.0002258232970652288, "esr_median": 0.0006545225818303972, "esr_worst": 0.0010129225069412558, "floor": null, "grade": "transparent", "light_esr": null, "multiply_adds": 3858, "steps": 20303, "audio_seconds": 13860.9, "limited_by": "budget", "findings": []}');
INSERT INTO public.versions VALUES (3, 2, 1, 'd9fc0fb69f5612f28f7eb3a443af37f17440d80bb527e80a4e7082c23216fbab', 45793, 2, '2026-11-27 18:12:10.342209', '', '{"name": "Leveller", "gear": "bus-compressor", "kind": "plugin", "knobs": [{"id": "threshold_db", "name": "threshold", "unit": "dB", "minimum": -36.0, "maximum": 0.0, "default": -18.0, "scale": "linear", "step": null, "choices": []}, {"id": "ratio", "name": "ratio", "unit": "", "minimum": 1.5, "maximum": 8.0, "default": 3.0, "scale": "log", "step": null, "choices": []}], "sample_rate": 48000, "latency_frames": 0, "oversampling": 1, "esr": 0.0002258232970652288, "esr_median": 0.0006545225818303972, "esr_worst": 0.0010129225069412558, "floor": null, "grade": "transparent", "light_esr": null, "multiply_adds": 3858, "steps": 20303, "audio_seconds": 13860.9, "limited_by": "budget", "findings": []}');
SELECT pg_catalog.setval('public.accounts_id_seq', 2, true);
SELECT pg_catalog.setval('public.audit_id_seq', 4, true);
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
CREATE INDEX ix_entry_words_words ON public.entry_words USING gin (words) WITH (fastupdate=off);
CREATE INDEX ix_favourites_entry_id ON public.favourites USING btree (entry_id);
CREATE INDEX ix_invitations_account_id ON public.invitations USING btree (account_id);
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
