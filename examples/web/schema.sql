-- schema.sql - the tables of the TechEmpower benchmarks: ten thousand numbers, and twelve fortunes.
-- Fails, and changes nothing, where there are tables of these names (psql -v ON_ERROR_STOP=1).
set client_encoding = 'UTF8';
set client_min_messages = warning;

begin;
create table world (
    id integer primary key,
    randomnumber integer not null
);
insert into world select id, 1 + pg_catalog.floor(pg_catalog.random() * 10000::float8)::int
    from pg_catalog.generate_series(1, 10000) as id;

create table fortune (
    id integer primary key,
    message text not null
);
insert into fortune values
    (1, 'fortune: No such file or directory'),
    (2, 'A computer scientist is someone who fixes things that aren''t broken.'),
    (3, 'After enough decimal places, nobody gives a damn.'),
    (4, 'A bad random number generator: 1, 1, 1, 1, 1, 4.33e+67, 1, 1, 1'),
    (5, 'A computer program does what you tell it to do, not what you want it to do.'),
    (6, 'Emacs is a nice operating system, but I prefer UNIX. — Tom Christaensen'),
    (7, 'Any program that runs right is obsolete.'),
    (8, 'A list is only as strong as its weakest link. — Donald Knuth'),
    (9, 'Feature: A bug with seniority.'),
    (10, 'Computers make very fast, very accurate mistakes.'),
    (11, '<script>alert("This should not be displayed in a browser alert box.");</script>'),
    (12, 'フレームワークのベンチマーク');
commit;

vacuum analyze world, fortune;
