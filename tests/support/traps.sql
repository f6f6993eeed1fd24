-- traps.sql - lays traps in the schema public, as a role that may create there: functions and operators of the names in
-- the setting traps.names (a list with commas), whose arguments match more closely than those of pg_catalog. What calls
-- one fails, and the server's log has a line with TRAP SPRUNG.
create role mallory;
grant create, usage on schema public to mallory;
set role mallory;
set search_path = pg_catalog;
set check_function_bodies = off;

do $do$
declare
    kinds constant text[] := '{int2,int4,int8,oid,text,name,"\"char\"",bool,numeric,float4,float8,regclass,regtype,
        "text[]","int4[]","int8[]",oidvector,tid,xid8,pg_lsn,timestamptz,anyelement,anyarray,unknown}';
    two constant text[] := '{int2,int4,int8,oid,text,name,"\"char\"",bool,numeric,float4,float8,regclass,regtype,
        "text[]","int4[]",tid,xid8,pg_lsn,timestamptz}';
    body constant text := $body$ language plpgsql as $f$ begin raise exception 'TRAP SPRUNG: %%', %L; end $f$ $body$;
    f record;
    a text;
    b text;
    result text;
begin
    for f in select p.proname::text as name, p.pronargs as n,
            min(case when t.typtype = 'b' and t.typelem = 0 then t.typname else 'text' end) as gives,
            bool_or(p.proretset) as many
        from pg_proc p join pg_type t on t.oid = p.prorettype
        where p.pronamespace = 'pg_catalog'::regnamespace and p.pronargs <= 3
            and p.proname = any (string_to_array(current_setting('traps.names'), ','))
        group by 1, 2
    loop
        result := case when f.many then 'setof ' else '' end || f.gives;
        if f.n = 0 then
            execute format('create or replace function public.%I() returns %s', f.name, result) || format(body, f.name);
            execute format('create or replace function public.%I(variadic text[]) returns %s', f.name, result)
                || format(body, f.name);
        end if;
        foreach a in array kinds loop
            continue when a = 'unknown';
            if f.n = 1 and a !~ '^any' then
                execute format('create or replace function public.%I(%s) returns %s', f.name, a, result)
                    || format(body, f.name);
            elsif f.n = 2 and a = any (two) then
                foreach b in array two loop
                    execute format('create or replace function public.%I(%s, %s) returns %s', f.name, a, b, result)
                        || format(body, f.name);
                end loop;
            elsif f.n = 3 and a = any (two) then
                foreach b in array '{text,int4,bool}'::text[] loop
                    execute format('create or replace function public.%I(%s, text, %s) returns %s', f.name, a, b, result)
                        || format(body, f.name);
                end loop;
            end if;
        end loop;
    end loop;

    foreach a in array two loop
        foreach b in array two loop
            for f in select name, gives from unnest('{=,<>,<,>,<=,>=,~,~~,||,+,-,*,/}'::text[],
                '{bool,bool,bool,bool,bool,bool,bool,bool,text,int8,int8,float8,float8}'::text[]) as o(name, gives)
            loop
                execute format('create or replace function public.trap_%s(l %s, r %s) returns %s',
                    md5(f.name), a, b, f.gives) || format(body, 'operator ' || f.name);
                execute format('create operator public.%s (leftarg = %s, rightarg = %s, function = public.trap_%s)',
                    f.name, a, b, md5(f.name));
            end loop;
        end loop;
    end loop;
end $do$;
reset role;
reset search_path;
reset check_function_bodies;
