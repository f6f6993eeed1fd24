-- schema.sql - the shop that the three programs bill for, with seven open orders in it. To begin again, run it again:
--     evpq-run -j 1 -f schema.sql
drop schema if exists shop cascade;
create schema shop;

create table shop.customer (id int primary key, name text not null, credit int not null check (credit >= 0));
create table shop.stock (item int primary key, pieces int not null check (pieces >= 0));
create table shop.price (item int primary key references shop.stock, cents int not null);
create table shop.orders (
    id int primary key,
    customer int not null references shop.customer,
    item int not null references shop.stock,
    pieces int not null,
    state text not null default 'open'
);
create table shop.invoice (order_id int primary key references shop.orders, cents int not null);

insert into shop.customer values (1, 'Ann', 10000), (2, 'Bob', 2500), (3, 'Eve', 100);
insert into shop.stock values (10, 100), (11, 100), (12, 1);
insert into shop.price values (10, 250), (11, 1999), (12, 50);
insert into shop.orders (id, customer, item, pieces) values
    (101, 1, 10, 4), (102, 2, 11, 1), (103, 1, 11, 2), (104, 3, 12, 2), (105, 2, 10, 3), (106, 1, 11, 3), (107, 3, 12, 1);
